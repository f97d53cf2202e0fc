#!/bin/sh
# A whole trainer in shell and curl: a model of what one in any language has to do. It "trains" by counting epochs.
# docs/trainer-contract.md is the contract; `visionai trainer check -- sh examples/trainers/shell.sh` checks it.
set -u
cd "$WORKSPACE" || exit 1
api="$BACKEND_BASE_URL/v1/jobs/$JOB_ID"
epochs=$(printf '%s' "${TRAINING_CONFIG:-}" | sed -n 's/.*"epochs": *\([0-9]*\).*/\1/p')
epochs=${epochs:-3}
seconds=${EPOCH_SECONDS:-0}
seq=0
stop=
trap 'stop=1' TERM

# call METHOD PATH [BODY]: the answer is in the file `answer`. Tries again what may pass, ends where it is refused.
call() {
  wait=1
  while :; do
    code=$(curl -s -o answer -w '%{http_code}' --max-time 60 -X "$1" ${3:+--data "$3"} \
      -H "Authorization: Bearer $CALLBACK_TOKEN" -H "Content-Type: application/json" \
      -H "X-Trace-ID: ${TRACE_ID:-}" -H "traceparent: ${TRACEPARENT:-}" "$api/$2")
    case $code in
      2??) return ;;
      408 | 425 | 429 | 5?? | 000) sleep "$wait"; [ "$wait" -ge 30 ] || wait=$((wait * 2)) ;;
      *) echo "refused with $code: $(cat answer)" >&2; exit 1 ;;
    esac
  done
}

# report PATH FIELDS: a report with the next number, so that sending it again does no harm.
report() {
  seq=$((seq + 1))
  call POST "$1" "{\"seq\": $seq, $2}"
}

fail() {
  report done "\"status\": \"failed\", \"error\": {\"code\": \"$1\", \"message\": \"$2\"}"
  exit 1
}

# field NAME: its value, out of a flat JSON object on standard input.
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }

absolute() { case $1 in http*) echo "$1" ;; *) echo "$BACKEND_BASE_URL$1" ;; esac; }

# fetch NAME-OF-A-KIND: every input of that kind, checked; the last one is in the file `input`.
fetch() {
  tries=0
  while :; do
    call GET inputs
    tr '{' '\n' < answer | grep "\"kind\": *\"$1\"" > wanted || return 1
    complete=1
    while read -r file; do
      url=$(absolute "$(echo "$file" | field url)")
      curl -s -f --max-time 600 -o input "$url" && [ "$(sha256sum < input | cut -d' ' -f1)" = "$(echo "$file" | field sha256)" ] || complete=
    done < wanted
    [ -z "$complete" ] || return 0
    tries=$((tries + 1))
    [ $tries -lt 5 ] || fail storage_unavailable "an input could not be fetched whole: $1"
    sleep 1
  done
}

# upload KIND FILE EPOCH: announced, sent range by range, completed; a refused address is asked for again.
upload() {
  size=$(wc -c < "$2" | tr -d ' ')
  sha256=$(sha256sum < "$2" | cut -d' ' -f1)
  while :; do
    call POST artifacts "{\"kind\": \"$1\", \"name\": \"$2\", \"size\": $size, \"sha256\": \"$sha256\", \"epoch\": $3}"
    id=$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' answer)
    sed 's/"url"/\n"url"/g' answer | grep '^"url"' > ranges
    sent=1
    while read -r range; do
      offset=$(echo "$range" | field offset)
      tail -c +$((offset + 1)) "$2" | head -c "$(echo "$range" | field length)" > part
      echo "$range" | sed -n 's/.*"headers": *{\([^}]*\)}.*/\1/p' | tr ',' '\n' | sed -n 's/ *"\([^"]*\)": *"\([^"]*\)"/\1: \2/p' > headers
      curl -s -f --max-time 600 -H @headers -o /dev/null --upload-file part "$(absolute "$(echo "$range" | field url)")" || sent=
    done < ranges
    if [ -n "$sent" ]; then
      call POST "artifacts/$id/complete"
      return
    fi
    sleep 1
  done
}

stopped() {
  upload checkpoint_last last.txt "$epoch"
  report done '"status": "stopped"'
  exit 143
}

report heartbeat '"epoch": 0, "progress": 0, "kind": "step"'
fetch annotations || fail dataset_invalid "there are no annotations"
fetch split
fetch shard || fail dataset_invalid "there are no images"
report event '"type": "dataset_downloaded", "message": "The images are here"'
epoch=0
if fetch checkpoint; then epoch=$(cat input); fi
while [ "$epoch" -lt "$epochs" ]; do
  echo "$epoch" > last.txt
  [ -z "$stop" ] || stopped
  sleep "$seconds" # this is where the learning would be
  epoch=$((epoch + 1))
  echo "$epoch" > last.txt
  report validation "\"epoch\": $epoch, \"primary_metric\": {\"name\": \"val/accuracy\", \"value\": 0.$((epoch % 10))}"
  report heartbeat "\"epoch\": $epoch, \"total_epochs\": $epochs, \"progress\": $((100 * epoch / epochs)), \"metrics\": {\"train/loss\": 0.$((99 - epoch % 90))}"
  if grep -q '"stop"' answer; then stop=1; fi
  [ "$epoch" -ge "$epochs" ] || upload checkpoint_last last.txt "$epoch"
done
[ -z "$stop" ] || [ "$epoch" -ge "$epochs" ] || stopped
upload checkpoint_last last.txt "$epoch"
cp last.txt model.txt
upload model model.txt "$epoch"
report done '"status": "succeeded"'
