#!/bin/sh
# The recipe on a small budget, to compare base models: `sh examples/starter/budget.sh DATA BASE FOLDER`.
#
# DATA as in recipe.sh; BASE is the folder of any encoder, such as that of all-mpnet-base-v2; FOLDER what to write.
# Takes a ninth of the pool, a twelfth of the questions and 480 spans, and measures both models on dev data. Every
# step resumes or is skipped when it is done.
. "$(dirname "$0")/begin.sh"

# 1. Data
[ -e spans/dev.jsonl ] || python "$here/spans.py" --data "$data" --output spans
[ -e questions/dev-squad.jsonl ] || python "$here/questions.py" --data "$data" --spans spans --output questions
[ -e pool.tsv ] ||
    python "$here/pool.py" --data "$data" --spans spans --first-rows 2000 --every 1000 --output pool.tsv
keep dev.jsonl cat questions/dev-*.jsonl
keep train.jsonl awk 'NR % 12 == 1 && !/"id":"opentrivia-/' questions/[!d]*.jsonl

# 2. The base, and the question tower trained over its vectors
densecli preprocess pool.tsv
densecli index --kind bm25
[ -e base ] || densecli convert "$base" --to retriever -o base
densecli embed --retriever base
densecli index
[ -e found.jsonl ] ||
    densecli search train.jsonl --mode hybrid --retriever base --candidates 100 -k 50 -o found.jsonl
[ -e examples.jsonl ] || python "$here/distant.py" found.jsonl --output examples.jsonl
densecli train examples.jsonl --encoder base --fixed-passage-encoder --index-negatives all --max-positives 4 \
    --freeze-embeddings --batch-size 64 --dropout 0 --learning-rate 2e-5 --epochs 1 -o retriever
[ -e dev-bm25.jsonl ] || densecli search dev.jsonl --mode bm25 -k 20 -o dev-bm25.jsonl
for retriever in base retriever; do
    [ -e dev-$retriever.jsonl ] ||
        densecli search dev.jsonl --mode dense --retriever $retriever -k 20 -o dev-$retriever.jsonl
done
keep retriever.json densecli evaluate dev-base.jsonl dev-retriever.jsonl dev-bm25.jsonl --top-k 1,5,20

# 3. The reader, on spans alone
keep spans-1.jsonl head -n 480 spans/train-1.jsonl
densecli train-reader spans-1.jsonl --encoder "$base" --freeze-embeddings --batch-size 16 --passages 1 \
    --max-tokens 256 --max-answer-tokens 20 --learning-rate 1e-4 --dropout 0 --epochs 1 -o reader
shuffle='import random, sys; a = sys.stdin.readlines(); random.Random(0).shuffle(a); sys.stdout.writelines(a[:200])'
keep dev-spans.jsonl python -c "$shuffle" < spans/dev-squad.jsonl
[ -e dev-read.jsonl ] || densecli read dev-spans.jsonl --reader reader --select passage -o dev-read.jsonl
keep reader.json densecli evaluate dev-read.jsonl
