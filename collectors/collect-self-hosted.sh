#!/bin/sh
# Collects what an own mail server was told to do with mail, for `mailassay ingest`.
#
#   collect-self-hosted.sh OUTPUT-FOLDER
#
# Reads only. Run it as root, or as a user who may read the mail system's configuration and the
# users' scripts; what it may not read is written down as not read, so that "no rules" and "no
# permission to read rules" stay apart. It collects no mail, no passwords and no keys: of Postfix
# and Dovecot only the settings that differ from the defaults, without those that hold secrets; of Zimbra's
# accounts forwarding, filters, state, protocols, factors and last sign-in.
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
# What a run that is ended leaves behind is no part of a collection.
trap 'rm -f "$out"/selfhosted/*.part "$out"/status/*.part "$out/status/passwd.txt"' EXIT
trap 'exit 1' HUP INT TERM

coverage=$out/status/coverage.jsonl
printf '{"what":"collected","subject":"*","ok":true,"rows":0,"at":"%s"}\n' "$(date -u +%Y-%m-%d)" > "$coverage"

# One line for each thing asked: what, whether it could be read, how many lines came of it.
note() { printf '{"what":"%s","ok":%s,"rows":%s,"why":"%s"}\n' "$1" "$2" "$3" "$4" >> "$coverage"; }

# Text that goes into JSON or a path: letters, digits and a few signs, everything else a dash.
plain() { printf '%s' "$1" | tr -c 'A-Za-z0-9@._+-' '-'; }

# Runs a command through a filter into a file, so that nothing is written that the filter drops. What a
# command wrote before it failed is not kept: it is not the whole.
filtered() {
  file=$1 filter=$2
  shift 2
  rm -f "$out/status/code.part"
  { "$@" 2> "$out/status/stderr.txt"; echo $? > "$out/status/code.part"; } | "$filter" > "$file.part" || return 2
  [ "$(cat "$out/status/code.part")" = 0 ] || return 1
}

# Settings without those whose name speaks of a secret, be it in a service of its own.
without_secrets() {
  code=0
  grep -viE '^[[:space:]]*([^[:space:]=]*/)?[a-z0-9_]*(password|passwd|secret|_nonce|api_key)[a-z0-9_]*[[:space:]]*=' || code=$?
  # 1: no line is left; more: grep itself failed.
  [ "$code" -le 1 ]
}

# What of a program's settings is kept, or why it is not.
ask() {
  what=$1 file=$2
  shift 2
  if ! command -v "$1" > /dev/null 2>&1; then
    note "$what" false 0 "the command is not on this machine"
    return
  fi
  code=0
  filtered "$file" without_secrets "$@" || code=$?
  if [ "$code" -eq 1 ]; then
    note "$what" false 0 "the command failed"
  elif [ "$code" -gt 1 ] || ! [ -s "$file.part" ]; then
    note "$what" false 0 "the command gave nothing, or it could not be written"
  elif mv "$file.part" "$file"; then
    note "$what" true "$(wc -l < "$file" | tr -d ' ')" ""
  else
    note "$what" false 0 "the settings could not be written"
  fi
  rm -f "$file.part"
}

# What main.cf sets and, below a line of its own, what services of master.cf set otherwise. Postfix before
# 2.11 does not tell the latter; without that line nobody takes it for told.
postfix_settings() {
  postconf -n || return
  if services=$(postconf -P); then
    printf '# postconf -P\n%s\n' "$services"
  fi
}
if command -v postconf > /dev/null 2>&1; then
  ask postconf "$out/selfhosted/postconf-n.txt" postfix_settings
else
  note postconf false 0 "the command is not on this machine"
fi
ask doveconf "$out/selfhosted/doveconf-n.txt" doveconf -n

# Every map that may send mail elsewhere, with what is set by default and with names filled in.
# Maps that are files are copied; of the others it is said that they were not read.
maps_of='alias_maps virtual_alias_maps canonical_maps recipient_canonical_maps'
number=0
copy_map() {
  number=$((number + 1))
  name=aliases-$number-$(plain "${1##*/}")
  if [ ! -r "$1" ]; then
    note "$name" false 0 "not readable"
  elif cp "$1" "$out/selfhosted/$name" 2> /dev/null; then
    note "$name" true "$(wc -l < "$1" | tr -d ' ')" ""
  else
    rm -f "$out/selfhosted/$name"
    note "$name" false 0 "could not be copied"
  fi
}
if command -v postconf > /dev/null 2>&1; then
  # shellcheck disable=SC2086
  if maps=$(postconf -hx $maps_of 2> /dev/null) || maps=$(postconf -h $maps_of 2> /dev/null); then
    set -f
    for map in $(printf '%s\n' "$maps" | tr ',{}' '   '); do
      map=${map#proxy:}
      case $map in
        hash:/* | lmdb:/* | texthash:/* | btree:/* | cdb:/* | dbm:/*) copy_map "${map#*:}" ;;
        *) note aliases-not-a-file false 0 "a map of the kind $(plain "${map%%:*}") was not read" ;;
      esac
    done
    set +f
    [ "$number" -gt 0 ] || note aliases true 0 ""
  else
    note aliases false 0 "the names of the alias maps could not be read"
  fi
elif [ -e /etc/aliases ]; then
  copy_map /etc/aliases
else
  note aliases false 0 "no alias map was found"
fi

# Zimbra keeps forwarding, filters and protocols with the accounts. Of each account only the attributes
# that are read are kept, with all lines of a value; a line of a filter that looks like another attribute
# is followed by nothing, so that a script which was cut cannot be taken for a whole one.
accounts=$out/selfhosted/zimbra-accounts.txt
zimbra=
if command -v zmprov > /dev/null 2>&1; then
  zimbra=zmprov
elif [ -x /opt/zimbra/bin/zmprov ]; then
  zimbra=/opt/zimbra/bin/zmprov
fi
zimbra_attributes() {
  awk '
    /^# name / || /^[[:space:]]*$/ { print; next }
    /^[A-Za-z][A-Za-z0-9;-]*::? / {
      split($0, parts, ":")
      keep = parts[1] ~ /^(objectClass|zimbraAccountStatus|zimbraCalResType|zimbraCreateTimestamp|zimbraDumpsterEnabled|zimbraFeatureTwoFactorAuthRequired|zimbraId|zimbraImapEnabled|zimbraInterceptAddress|zimbraIs(Delegated)?AdminAccount|zimbraIsSystem(Account|Resource)|zimbraLastLogonTimestamp|zimbraMailAlias|zimbraMailCatchAllForwardingAddress|zimbraMailDeliveryAddress|zimbraMailDumpsterLifetime|zimbra(Pref)?MailForwardingAddress|zimbraMailMessageLifetime|zimbraPop3Enabled|zimbraPrefMailLocalDeliveryDisabled|zimbraTwoFactorAuthEnabled|zimbra[A-Za-z]*SieveScript(After|Before)?)$/
      if (!keep) print parts[1] ": (left out)"
    }
    keep { print }'
}
zimbra_accounts() {
  if [ "$(id -un)" != zimbra ] && id zimbra > /dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
    su - zimbra -c 'zmprov -l gaa -v'
  else
    "$zimbra" -l gaa -v
  fi
}
if [ -n "$zimbra" ]; then
  if filtered "$accounts" zimbra_attributes zimbra_accounts && [ -s "$accounts.part" ] && mv "$accounts.part" "$accounts"; then
    note zimbra true "$(grep -c '^# name [^ ]*@[^ ]*$' "$accounts")" ""
  else
    note zimbra false 0 "zmprov failed or gave nothing"
  fi
  rm -f "$accounts.part"
fi

# The active Sieve script of every user that Dovecot lists.
if [ -n "$zimbra" ] && ! command -v doveadm > /dev/null 2>&1; then
  : # Zimbra's filters stand with its accounts.
elif command -v doveadm > /dev/null 2>&1; then
  if doveadm user '*' > "$out/status/users.txt" 2> "$out/status/stderr.txt" && [ -s "$out/status/users.txt" ]; then
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
# Scripts that run for everybody, before or after a user's own: settings of Dovecot 2.3, blocks of 2.4.
everybody='(before|after|default|discard|global)'
if [ -s "$out/selfhosted/doveconf-n.txt" ] && grep -qE "^[[:space:]]*(sieve_${everybody}[a-z0-9_]* *=|(sieve_script_)?type *= *${everybody}[[:space:]]*\$|sieve_script +$everybody)" "$out/selfhosted/doveconf-n.txt"; then
  note sieve-of-everybody false 0 "Dovecot names scripts for everybody, which are not collected"
fi

# .forward files in home folders. A user without one gets a line as well.
if command -v getent > /dev/null 2>&1 && getent passwd > "$out/status/passwd.txt" 2> /dev/null && [ -s "$out/status/passwd.txt" ]; then
  while IFS=: read -r user _ _ _ _ home _; do
    what=forward-$(plain "$user")
    case $home in /*) ;; *) continue ;; esac
    # The deepest folder above that can be seen tells whether the home folder is missing or hidden.
    above=$home
    while [ ! -d "$above" ]; do
      above=${above%/*}
      [ -n "$above" ] || above=/
    done
    if [ ! -x "$above" ]; then
      note "$what" false 0 "the home folder, or one above it, may not be looked into"
    elif [ ! -d "$home" ]; then
      # Without a home folder there is no .forward file.
      continue
    elif [ -L "$home/.forward" ]; then
      note "$what" false 0 "the file is a link; links are not followed"
    elif [ -f "$home/.forward" ]; then
      mkdir -p "$out/selfhosted/home/$(plain "$user")"
      if cp "$home/.forward" "$out/selfhosted/home/$(plain "$user")/.forward" 2> /dev/null; then
        note "$what" true 1 ""
      else
        rm -f "$out/selfhosted/home/$(plain "$user")/.forward"
        note "$what" false 0 "not readable"
      fi
    elif [ -e "$home/.forward" ]; then
      note "$what" false 0 "it is no ordinary file"
    else
      note "$what" true 0 ""
    fi
  done < "$out/status/passwd.txt"
  # What it was read for is done; the list of accounts stays on the server.
  rm -f "$out/status/passwd.txt"
  note forward true 0 ""
else
  rm -f "$out/status/passwd.txt"
  note forward false 0 "the accounts could not be listed"
fi

rm -f "$out/status/stderr.txt"
failed=$(grep -c '"ok":false' "$coverage")
echo "collected into $out; $failed of $(wc -l < "$coverage" | tr -d ' ') things could not be read (status/coverage.jsonl)"
