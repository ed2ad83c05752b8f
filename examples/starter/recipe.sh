#!/bin/sh
# Make the starter models from raw files: `sh examples/starter/recipe.sh DATA BASE FOLDER`.
#
# DATA is a folder with the files that README.md lists, BASE the folder of all-MiniLM-L6-v2, FOLDER what to write.
# Every step resumes or is skipped when it is done, so run the same command again after an interruption.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$(cd "$1" && pwd)
base=$(cd "$2" && pwd)
mkdir -p "$3"
cd "$3"
export DENSECLI_WORKSPACE="$PWD/pool"

# 1. Data: spans for the reader, questions for both models, and a pool of passages
[ -e spans/dev.jsonl ] || python "$here/spans.py" --data "$data" --output spans
[ -e questions/dev-squad.jsonl ] || python "$here/questions.py" --data "$data" --spans spans --output questions
[ -e pool.tsv ] || python "$here/pool.py" --data "$data" --spans spans --output pool.tsv
[ -e dev.jsonl ] || cat questions/dev-*.jsonl > dev.jsonl
[ -e train.jsonl ] || cat questions/[!d]*.jsonl > train.jsonl

# 2. The untrained base over the pool; dev questions tune λ of hybrid search
densecli preprocess pool.tsv
densecli index --kind bm25
[ -e base ] || densecli convert "$base" --to retriever -o base
densecli embed --retriever base
densecli index
densecli search --tune-lambda dev.jsonl --retriever base

# 3. The retriever: the question tower alone, against all passages of the pool
if [ ! -e examples.jsonl ]; then
    densecli search train.jsonl --mode hybrid --retriever base -k 50 -q |
        python "$here/distant.py" - --output examples.part
    mv examples.part examples.jsonl
fi
densecli train examples.jsonl --dev dev.jsonl --validate-by search --validate-every 50 --encoder base \
    --fixed-passage-encoder --index-negatives all --max-positives 4 --freeze-embeddings \
    --batch-size 256 --dropout 0 --learning-rate 2e-5 --epochs 3 -o retriever

# 4. The reader: spans in rounds, each a single pass over other questions. ROUNDS chooses fewer of them
from="$base"
for round in ${ROUNDS:-1 2 3 4 5 6 7 8}; do
    densecli train-reader "spans/train-$round.jsonl" --dev spans/dev.jsonl --dev-questions 200 --dev-depth 1 \
        --encoder "$from" --freeze-embeddings --batch-size 16 --passages 1 --max-tokens 350 \
        --max-answer-tokens 20 --learning-rate 1e-4 --dropout 0 --epochs 1 -o "reader$round"
    from="reader$round"
done
