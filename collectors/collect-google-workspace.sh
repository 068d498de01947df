#!/bin/sh
# Collects a Google Workspace tenant's mail settings with GAM7, for `mailassay ingest`.
#
#   collect-google-workspace.sh OUTPUT-FOLDER
#
# Reads only. GAM's project needs the read-only scopes of the Directory API (users, role
# management), the Gmail API's settings.basic and settings.sharing in GAM's read-only form, the
# Cloud Identity Policy API and the Reports API; the administrator needs a role that may read users
# and Gmail settings. It asks for no message, no password and no backup code. Retention rules of
# Vault have no export: write them into answers.yaml.
set -u
umask 077

[ $# -eq 1 ] || { echo "usage: $0 OUTPUT-FOLDER" >&2; exit 64; }
out=$1
gam=${GAM:-gam}
command -v "$gam" > /dev/null 2>&1 || { echo "$0: $gam is not on this machine; set GAM to its path" >&2; exit 69; }
mkdir -p "$out/gws" "$out/status" || exit 73
chmod 700 "$out"
coverage=$out/status/coverage.jsonl
printf '{"what":"collected","subject":"*","ok":true,"rows":0,"at":"%s"}\n' "$(date -u +%Y-%m-%d)" >> "$coverage"

# Each export is asked for once; what is there already is left, so that a broken run can go on.
ask() {
  name=$1
  shift
  file=$out/gws/$name.csv
  if [ -s "$file" ]; then
    echo "$name: already here" >&2
    return
  fi
  if "$gam" "$@" > "$file.part" 2> "$out/status/$name.stderr"; then
    mv "$file.part" "$file"
    rm -f "$out/status/$name.incomplete"
    printf '{"what":"%s","ok":true,"rows":%s,"why":""}\n' "$name" "$(($(wc -l < "$file") - 1))" >> "$coverage"
  else
    code=$?
    # What came before the error is kept out of sight of the reader: it is not the whole.
    mv "$file.part" "$out/status/$name.incomplete"
    printf '{"what":"%s","ok":false,"rows":0,"why":"gam ended with %s; see status/%s.stderr"}\n' "$name" "$code" "$name" >> "$coverage"
  fi
}

# A user without a filter, delegate or forward gets a row as well: otherwise nobody could tell
# "none" from "not asked".
audit='csv_output_users_audit true'
users='all users_ns_susp'

ask users print users fields primaryemail,ou,suspended,archived,isenrolledin2sv,isenforcedin2sv,isadmin,isdelegatedadmin,lastlogintime,creationtime,ismailboxsetup
# shellcheck disable=SC2086
ask forwards config $audit auto_batch_min 1 $users print forwards
# shellcheck disable=SC2086
ask forwardingaddresses config $audit auto_batch_min 1 $users print forwardingaddresses
# shellcheck disable=SC2086
ask filters config $audit auto_batch_min 1 $users print filters formatjson quotechar "'"
# shellcheck disable=SC2086
ask delegates config $audit auto_batch_min 1 $users print delegates
# shellcheck disable=SC2086
ask imap config auto_batch_min 1 $users print imap
# shellcheck disable=SC2086
ask pop config auto_batch_min 1 $users print pop
# shellcheck disable=SC2086
ask sendas config $audit auto_batch_min 1 $users print sendas compact
# shellcheck disable=SC2086
ask tokens $users print tokens
# shellcheck disable=SC2086
ask asps $users print asps
ask admins print admins
ask policies print policies formatjson quotechar "'"
ask vaultholds print vaultholds oneitemperrow
ask group-memberships print group-members fields email,role,type,status
ask login report login start -30d

failed=$(grep -c '"ok":false' "$coverage")
echo "collected into $out; $failed exports could not be made (status/coverage.jsonl)"
