#!/bin/sh
# Does training on your own questions help? The same held-out questions before and after, in one table.
#
#   sh own-questions.sh [FOLDER TRAIN TEST]
#
# FOLDER holds .txt and .md files; TRAIN and TEST hold questions about them, one {"question": "...", "answers": ["..."]} per
# line. Keep them apart: a question in both makes the second row look better than it is. A few hundred training questions
# is where it begins to pay. ENCODER=NAME trains another model than the starter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/notes}
train=${2:-$here/notes-train.jsonl}
test=${3:-$here/notes-test.jsonl}
export DENSECLI_K=20

densecli preprocess "$folder"

# before: words alone, and the starter retriever as it ships
densecli index --kind bm25
densecli search "$test" --mode bm25 -o bm25.jsonl
densecli embed --retriever starter -o starter/vectors
densecli index --vectors starter/vectors -o starter/index
densecli search "$test" --retriever starter --index starter/index -o starter.jsonl

# after: a retriever trained on your questions
densecli mine-negatives "$train"
densecli train --encoder "${ENCODER:-starter}"
densecli embed
densecli index
densecli search "$test" -o trained.jsonl

densecli evaluate BM25=bm25.jsonl starter=starter.jsonl trained=trained.jsonl --table
