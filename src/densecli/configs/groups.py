"""The groups in which help shows settings, the most used first; every setting has a place in one."""

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
        preset epochs batch_size learning_rate warmup_steps loss temperature teacher_temperature
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
