"""What --help shows: examples, and the groups of settings, the most used first."""

EXAMPLES = {
    "preprocess": ("densecli preprocess notes/", "densecli preprocess enwiki-latest-pages-articles.xml.bz2"),
    "mine-negatives": (
        "densecli mine-negatives questions.jsonl",
        "densecli mine-negatives questions.jsonl --negatives bm25:30,random:50 --audit 20",
    ),
    "train": (
        "densecli train --dataset nq --preset paper",
        "densecli train support manuals --sampling-rates 1,4 --encoder starter",
    ),
    "train-reader": ("densecli train-reader found.jsonl --dev dev.jsonl",),
    "embed": ("densecli embed", "densecli embed --retriever sentence-transformers/all-MiniLM-L6-v2"),
    "index": ("densecli index", "densecli index --kind bm25"),
    "search": (
        'densecli search "who voiced Meg"',
        "densecli search questions.jsonl -k 20 -o found.jsonl",
        'densecli search --compare bm25,dense "who voiced Meg"',
        "densecli search --tune-lambda dev.jsonl",
    ),
    "read": ('densecli read "who voiced Meg"', "densecli read found.jsonl -o read.jsonl"),
    "evaluate": (
        "densecli evaluate found.jsonl --table",
        "densecli evaluate bm25=a.jsonl dense=b.jsonl -k 1,5,20",
        "densecli evaluate found.run --qrels test.qrels -m nDCG@10 -m RR@10",
    ),
    "convert": (
        "densecli convert found.jsonl --to trec -o found.run",
        "densecli convert dpr_biencoder.cp --to retriever -o dpr",
    ),
    "datasets": ("densecli datasets", "densecli datasets nq --fetch questions"),
    "status": ("densecli status", "densecli status --verify"),
}
"""What people type first, by command."""
GROUPS = {
    "Input and output": """
        output workspace dev dataset split data_dir exclude questions passages vectors index bm25 retriever
        reader joint hf qrels measure format text json table ask tune_lambda tune audit_size fetch form to
        take base id_prefix allow_missing qrels_split tensorboard plot report
    """,
    "Data": """
        positives negatives depth distant_query margin keep_negatives answer_type words stride tail
        min_words keep_offsets input_format id_column title_column text_column make_ids document_seconds
        examples sampling_rates hard_negatives other_negatives max_positives index_negatives shuffle_positives
        max_spans choice gold negatives_from distill
    """,
    "Search": """
        k mode explain compare fusion fusion_weight missing candidates select min_score decode alternatives
    """,
    "Index": """
        kind hnsw_neighbors hnsw_build_breadth hnsw_search_breadth k1 b stemmer stop_words unicode
        lower_case
    """,
    "Model": """
        encoder init pooling similarity projection shared_encoder fixed_passage_encoder freeze_embeddings
        max_question_tokens max_passage_tokens max_tokens max_answer_tokens question_prefix passage_prefix
        token_types trailing_sep
    """,
    "Optimization": """
        preset epochs batch_size learning_rate warmup_steps loss reader_loss temperature teacher_temperature
        triplet_margin in_batch average_gradients dropout weight_decay max_grad_norm gradient_checkpointing
        activation_memory
    """,
    "Validation": """
        validate_by validate_every validate_k early_stop dev_questions dev_depth dev_negatives check_depth
        fail_under top_k resamples
    """,
    "Hardware": """
        device engine precision batch_tokens workers shard_rows
    """,
    "Run": """
        force verify on_error save_every seed config_file quiet verbose help
    """,
}
PLACES = {name: (group, place) for group, names in GROUPS.items() for place, name in enumerate(names.split())}
"""Group of each setting and its place there; every setting has one."""
