#!/usr/bin/env bash
# Hands a URL to a Trawl server, waits for the download and stores its file here.
#   TRAWL_URL=http://localhost:8080 TRAWL_KEY=... download.sh URL [QUALITY]
set -euo pipefail

server=${TRAWL_URL:-http://localhost:8080}

# ask CURL-ARGUMENT...: prints the answer; a refusal goes to standard error, in words.
ask() {
  local answer
  answer=$(curl -sS --fail-with-body ${TRAWL_KEY:+-H "X-API-Key: $TRAWL_KEY"} "$@") && printf '%s' "$answer" && return
  jq -r '"\(.status_code) \(.error_code): \(.error)"' <<<"$answer" >&2
  return 1
}

body=$(jq -n --arg url "$1" --arg quality "${2:-best}" '{$url, $quality}')
# The same Idempotency-Key makes it safe to send this again when the answer was lost.
key=$(cat /proc/sys/kernel/random/uuid)
job=$(ask "$server/api/v1/downloads" -H "Content-Type: application/json" -H "Idempotency-Key: $key" -d "$body")
id=$(jq -r .id <<<"$job")

while :; do
  case $(jq -r .status <<<"$job") in
    completed) break ;;
    failed | cancelled)
      jq -r '"\(.status): \(.error)"' <<<"$job" >&2
      exit 1
      ;;
  esac
  job=$(ask "$server/api/v1/downloads/$id?wait=30")
done

file=$(jq -r .file_info.file_url <<<"$job")
case $file in /*) file=$server$file ;; esac
name=$(jq -r .file_info.filename <<<"$job")
ask -o "$name" "$file"
echo "$name"
