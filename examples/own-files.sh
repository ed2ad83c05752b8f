#!/bin/sh
# From a folder of .txt and .md files to answers, in eight commands.
#
#   sh own-files.sh [FOLDER [TRAIN TEST]]
#
# TRAIN and TEST hold questions about the folder, one {"question": "...", "answers": ["..."]} per line: mining and training
# learn from the first, evaluation looks at the second. Without arguments the notes beside this script are used.
# Everything goes to .densecli in the folder where you are. ENCODER=NAME trains another model than the starter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/notes}
train=${2:-$here/notes-train.jsonl}
test=${3:-$here/notes-test.jsonl}

densecli preprocess "$folder"                           # passages of 100 words
densecli mine-negatives "$train"                        # BM25 finds a positive and hard negatives per question
densecli train --encoder "${ENCODER:-starter}"          # a question tower and a passage tower
densecli embed                                          # a vector per passage
densecli index                                          # a flat index over them
densecli search "how do I get in without the door code" # the passages nearest to a question
densecli read "how do I get in without the door code"   # the answer in them
densecli search "$test" | densecli read - | densecli evaluate - --table
