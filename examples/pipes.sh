#!/bin/sh
# Search, read and evaluate as one pipe, and each alone. Every line between them is one JSON object.
#
#   sh pipes.sh [QUESTIONS]
#
# Where nothing was prepared, the answers come from the encyclopedia that ships with densecli, and so do the questions here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
questions=${1:-$here/questions.jsonl}

# one pipe, nothing kept
densecli search - < "$questions" | densecli read - | densecli evaluate -

# each alone: the files between can be kept, looked at and used again
densecli search "$questions" -k 20 -o results.jsonl
densecli read results.jsonl -o predictions.jsonl
densecli evaluate retrieved=results.jsonl read=predictions.jsonl --table

# plain lines are questions too, and whatever handles lines fits in between
printf 'where was einstein born\nwho plays thoros of myr in game of thrones\n' |
  densecli search - -k 10 | tee both.jsonl | tail -n 1 | densecli read - | cut -c 1-200
