#!/bin/sh
# Make the starter models from raw files: `sh examples/starter/recipe.sh DATA BASE FOLDER`.
#
# DATA is a folder with the files that README.md lists, BASE the folder of all-MiniLM-L6-v2, FOLDER what to write.
# Every step resumes or is skipped when it is done, so run the same command again after an interruption.
. "$(dirname "$0")/begin.sh"

# 1. Data: spans for the reader, questions for both models, and a pool of passages
[ -e spans/dev.jsonl ] || python "$here/spans.py" --data "$data" --output spans
[ -e questions/dev-squad.jsonl ] || python "$here/questions.py" --data "$data" --spans spans --output questions
[ -e pool.tsv ] || python "$here/pool.py" --data "$data" --spans spans --output pool.tsv
keep dev.jsonl cat questions/dev-*.jsonl
# models are chosen on the first dev questions that can be used: in this order they are of all sets
shuffle='import random, sys; a = sys.stdin.readlines(); random.Random(0).shuffle(a); sys.stdout.writelines(a)'
keep dev-mixed.jsonl python -c "$shuffle" < dev.jsonl
if [ ! -e train.jsonl ]; then
    ls questions/[!d]*.jsonl | grep -v opentrivia | xargs cat > train.part
    # OpenTriviaQA has a third of all questions: a quarter of it
    awk 'NR % 4 == 1' questions/opentrivia.jsonl >> train.part
    mv train.part train.jsonl
fi

# 2. The untrained base over the pool; dev questions tune λ of hybrid search
densecli preprocess pool.tsv
densecli index --kind bm25
[ -e base ] || densecli convert "$base" --to retriever -o base
densecli embed --retriever base
densecli index
[ -e found.jsonl ] || densecli search --tune-lambda dev.jsonl --retriever base

# 3. The retriever: the question tower alone, against all passages of the pool
[ -e found.jsonl ] ||
    densecli search train.jsonl --mode hybrid --retriever base --candidates 100 -k 50 -o found.jsonl
[ -e examples.jsonl ] || python "$here/distant.py" found.jsonl --output examples.jsonl
densecli train examples.jsonl --dev dev-mixed.jsonl --validate-by search --validate-every 50 --encoder base \
    --fixed-passage-encoder --index-negatives all --max-positives 4 --freeze-embeddings \
    --batch-size 256 --dropout 0 --learning-rate 2e-5 --epochs 1 -o retriever

# 4. The reader, first round: an eighth of the spans, and questions with passages that hybrid search found for them
if [ ! -e dev-found.jsonl ]; then
    densecli search --tune-lambda dev.jsonl --retriever retriever
    densecli search dev-mixed.jsonl --mode hybrid --retriever retriever -k 20 -o dev-found.jsonl
fi
train_round() {
    densecli train-reader "$@" --dev-questions 200 --dev-depth 5 --freeze-embeddings --batch-size 16 --passages 3 \
        --max-tokens 256 --max-answer-tokens 20 --learning-rate 1e-4 --dropout 0 --epochs 1
}
[ -e open-1.jsonl ] || python "$here/open_questions.py" found.jsonl --output open-1.jsonl
train_round spans/train-1.jsonl open-1.jsonl --dev dev-found.jsonl --encoder "$base" -o reader1

# 5. The second round: further spans, and questions with passages of the whole collection, without the articles of
#    the SQuAD test. Embedding the collection takes longest
export DENSECLI_WORKSPACE="$PWD/whole"
densecli preprocess "$data/wiki/psgs_main_w100.tsv.gz"
densecli index --kind bm25
densecli embed --retriever base
densecli index
if [ ! -e dev-whole.jsonl ]; then
    densecli search dev-mixed.jsonl --mode hybrid --retriever retriever --fusion-weight 39.7 -k 20 -o dev-all.jsonl
    python "$here/leave_out.py" dev-all.jsonl --data "$data" --output dev-whole.jsonl
fi
if [ ! -e found-whole.jsonl ]; then
    densecli search train.jsonl --mode hybrid --retriever base --fusion-weight 39.7 --candidates 100 -k 50 \
        -o found-all.jsonl
    python "$here/leave_out.py" found-all.jsonl --data "$data" --output found-whole.jsonl
fi
if [ ! -e open-2.jsonl ]; then
    python "$here/open_questions.py" found-whole.jsonl --output open-2.part --without open-1.jsonl
    head -n 2850 open-2.part > open-2.jsonl.part
    mv open-2.jsonl.part open-2.jsonl
fi
keep spans-2.jsonl head -n 9900 spans/train-2.jsonl
train_round spans-2.jsonl open-2.jsonl --dev dev-whole.jsonl --init reader1 -o reader2
[ -e reader/model.json ] || python "$here/average.py" reader1 reader2 --weight 0.6 --output reader

# 6. At most 10 word pieces to an answer, as DPR decodes, though it was trained on up to 20; and how answers are
#    chosen, tuned on 450 dev questions
sed -i.bak 's/"max_answer_tokens": 20/"max_answer_tokens": 10/' reader/model.json
rm reader/model.json.bak
keep dev-tune.jsonl head -n 450 dev-whole.jsonl
densecli read --tune dev-tune.jsonl --reader reader --depth 10
