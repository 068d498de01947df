#!/bin/sh
# Collects what an own mail server was told to do with mail, for `mailassay ingest`.
#
#   collect-self-hosted.sh OUTPUT-FOLDER
#
# Reads only. Run it as root, or as a user who may read the mail system's configuration and the
# users' scripts; what it may not read is written down as not read, so that "no rules" and "no
# permission to read rules" stay apart. It collects no mail, no passwords and no keys: of Postfix
# and Dovecot only the settings that differ from the defaults, without those that hold secrets.
set -u
umask 077

[ $# -eq 1 ] || { echo "usage: $0 OUTPUT-FOLDER" >&2; exit 64; }
out=$1
if [ -e "$out" ] && [ -n "$(ls -A "$out" 2>/dev/null)" ]; then
  echo "$0: $out is not empty; choose another folder" >&2
  exit 73
fi
mkdir -p "$out/selfhosted/sieve" "$out/selfhosted/home" "$out/status" || exit 73
chmod 700 "$out"

coverage=$out/status/coverage.jsonl
: > "$coverage"

# One line for each thing asked: what, whether it could be read, how many lines came of it.
note() { printf '{"what":"%s","ok":%s,"rows":%s,"why":"%s"}\n' "$1" "$2" "$3" "$4" >> "$coverage"; }

# Text that goes into JSON or a path: letters, digits and a few signs, everything else a dash.
plain() { printf '%s' "$1" | tr -c 'A-Za-z0-9@._+-' '-'; }

# Runs a command into a file, without lines whose name speaks of a secret.
ask() {
  what=$1 file=$2
  shift 2
  if ! command -v "$1" > /dev/null 2>&1; then
    note "$what" false 0 "the command is not on this machine"
    return
  fi
  if "$@" 2> "$out/status/stderr.txt" | grep -viE '^[[:space:]]*[a-z0-9_]*(password|passwd|secret|_nonce|api_key)[a-z0-9_]*[[:space:]]*=' > "$file"; then
    note "$what" true "$(wc -l < "$file" | tr -d ' ')" ""
  else
    rm -f "$file"
    note "$what" false 0 "the command gave nothing"
  fi
}

ask postconf "$out/selfhosted/postconf-n.txt" postconf -n
ask doveconf "$out/selfhosted/doveconf-n.txt" doveconf -n

# Alias maps that Postfix names as files, and the usual one.
maps=/etc/aliases
if [ -s "$out/selfhosted/postconf-n.txt" ]; then
  maps="$maps $(sed -n 's/^\(alias_maps\|virtual_alias_maps\) *= *//p' "$out/selfhosted/postconf-n.txt" | tr ', ' '\n\n' | sed -n 's/^\(hash\|lmdb\|texthash\|btree\|cdb\)://p' | tr '\n' ' ')"
fi
for map in $maps; do
  name=aliases-$(plain "${map#/}" | tr '/' '-')
  if [ -e "$out/selfhosted/$name" ]; then
    continue
  elif [ -r "$map" ]; then
    cp "$map" "$out/selfhosted/$name" && note "$(plain "$map")" true "$(wc -l < "$map" | tr -d ' ')" ""
  else
    note "$(plain "$map")" false 0 "not readable"
  fi
done

# The active Sieve script of every user that Dovecot lists.
if command -v doveadm > /dev/null 2>&1; then
  if doveadm user '*' > "$out/status/users.txt" 2> "$out/status/stderr.txt"; then
    while IFS= read -r user; do
      [ -n "$user" ] || continue
      safe=$(plain "$user")
      if scripts=$(doveadm sieve list -u "$user" 2> /dev/null); then
        count=0
        active=$(printf '%s\n' "$scripts" | sed -n 's/ ACTIVE$//p' | head -n 1)
        if [ -n "$active" ]; then
          if doveadm sieve get -u "$user" "$active" > "$out/selfhosted/sieve/$safe.sieve" 2> /dev/null; then
            count=1
          else
            rm -f "$out/selfhosted/sieve/$safe.sieve"
            note "sieve-$safe" false 0 "the script could not be read"
            continue
          fi
        fi
        note "sieve-$safe" true "$count" ""
      else
        note "sieve-$safe" false 0 "the scripts could not be listed"
      fi
    done < "$out/status/users.txt"
  else
    note sieve false 0 "the users could not be listed"
  fi
else
  note sieve false 0 "doveadm is not on this machine"
fi

# .forward files in home folders.
if command -v getent > /dev/null 2>&1; then
  getent passwd | while IFS=: read -r user _ _ _ _ home _; do
    [ -d "$home" ] || continue
    if [ ! -x "$home" ]; then
      note "forward-$(plain "$user")" false 0 "the home folder may not be looked into"
    elif [ -f "$home/.forward" ] && [ ! -L "$home/.forward" ]; then
      mkdir -p "$out/selfhosted/home/$(plain "$user")"
      if cp "$home/.forward" "$out/selfhosted/home/$(plain "$user")/.forward" 2> /dev/null; then
        note "forward-$(plain "$user")" true 1 ""
      else
        note "forward-$(plain "$user")" false 0 "not readable"
      fi
    fi
  done
fi

rm -f "$out/status/stderr.txt"
failed=$(grep -c '"ok":false' "$coverage")
echo "collected into $out; $failed of $(wc -l < "$coverage" | tr -d ' ') things could not be read (status/coverage.jsonl)"
