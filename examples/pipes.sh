#!/bin/sh
# Search, read and evaluate as one pipe, and each alone. Every line between them is one JSON object.
#
#   sh pipes.sh [QUESTIONS]
#
# The passages are those of notes/, so that this runs in an empty folder; put your own in their place.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
questions=${1:-$here/notes-test.jsonl}

densecli preprocess "$here/notes"
densecli index --kind bm25

# one pipe, nothing kept
densecli search - < "$questions" | densecli read - | densecli evaluate -

# each alone: the files between can be kept, looked at and used again
densecli search "$questions" -k 20 -o results.jsonl
densecli read results.jsonl -o predictions.jsonl
densecli evaluate retrieved=results.jsonl read=predictions.jsonl --table

# plain lines are questions too, and whatever handles lines fits in between
printf 'how do I get in without the door code\nwho has the crank of the shutter\n' |
  densecli search - -k 10 | tee both.jsonl | tail -n 1 | densecli read - | cut -c 1-200
