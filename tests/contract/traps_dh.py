"""The traps of the sections D, E, F, G and H."""

from tests.contract.traps import Trap

TRAPS_DH: tuple[Trap, ...] = (
    # ------------------------------------------------------------ D
    Trap(
        "D1",
        "Just-in-time loading does not load although it is on, or it is off: “No models loaded”.",
        "Loads by name first; where only just-in-time is wanted and does nothing, falls back to a load of the bare key.",
        test="test_d1_a_load_by_name_where_just_in_time_loads_nothing",
    ),
    Trap(
        "D2",
        "“Model is unloaded.” on the request after an idle unload, and no reload.",
        "Looks again, loads if need be, asks once more; a second time it is told.",
        test="test_d2_unloaded_between_look_and_question_is_loaded_and_asked_once_more",
    ),
    Trap(
        "D3",
        "A just-in-time load of B evicts A in mid-answer.",
        "While A answers, B is loaded by name, which evicts nothing; a build without that way waits for the answer.",
        test="test_d3_another_models_load_does_not_kill_a_running_answer",
    ),
    Trap(
        "D4",
        "Eviction spares what was loaded by name, so a load beside it fails.",
        "Asks beforehand whether it fits, offers to unload what idles, also after a refusal, and does it on one tap.",
        test="test_d4_the_client_makes_room_itself",
    ),
    Trap(
        "D5",
        "Memory pressure evicts nothing.",
        "With MAKE_ROOM=auto unloads its own idle models before the load; never somebody else's.",
        test="test_d5_memory_pressure_evicts_nothing_so_we_do",
    ),
    Trap(
        "D6",
        "Over LM Link neither eviction nor idle unload happens.",
        "Unloads explicitly, every instance of the model.",
        test="test_d6_unloading_is_explicit_and_complete",
    ),
    # ------------------------------------------------------------ E
    Trap(
        "E1",
        "“Model loading was stopped due to insufficient system resources…”: the guardrail refuses.",
        "Says that there is too little memory, in LM Studio's words too; one try.",
        test="test_e1_the_guardrail_refuses",
    ),
    Trap(
        "E2",
        "“Model loading aborted due to insufficient system resources…”: the older wording.",
        "The same as E1.",
        test="test_e2_the_guardrail_in_its_older_words",
    ),
    Trap(
        "E3",
        "The guardrail's estimate is NaN, or absurd.",
        "Reads no number out of a text; an estimate that is no size counts as none, and the load is tried.",
        test="test_e3_a_broken_estimate_is_no_number",
    ),
    Trap(
        "E4",
        "The guardrail counts the model that is about to be replaced, and cannot be overruled from outside.",
        "Unloads the old one before it asks for the new one; a person can insist on the try.",
        test="test_e4_the_old_model_leaves_before_the_new_one_is_asked_for",
    ),
    Trap(
        "E5",
        "Out of memory shows only as SIGABRT of the engine.",
        "Takes it for too little memory; no other model is tried by itself.",
        test="test_e5_a_hidden_out_of_memory_does_not_start_a_row_of_loads",
    ),
    Trap(
        "E6",
        "“Error loading model. (Exit code: …)”: the engine died, often for lack of memory.",
        "Takes it for too little memory; one try.",
        test="test_e6_the_engine_died_loading",
    ),
    Trap(
        "E7",
        "“The model has crashed without additional information”: while loading or while answering.",
        "Loads once more, and before the first word asks once more; after two crashes the model is put aside.",
        test="test_e7_a_crash_before_the_first_word_is_loaded_and_asked_once_more",
    ),
    Trap(
        "E8",
        "“No LM Runtime found for model format”.",
        "Permanent: says what to install; one try.",
        test="test_e8_no_runtime_is_permanent",
    ),
    Trap(
        "E9",
        "“llama-server … exited before becoming healthy”.",
        "Looks again and tries once more; then the model is put aside.",
        test="test_e9_an_engine_that_did_not_start_is_tried_once_more",
    ),
    Trap(
        "E10",
        "“llama-server did not become healthy” at 100 %.",
        "The host is sick: all of it is put aside for a while, and people are told.",
        test="test_e10_a_load_that_sticks_at_the_end_means_a_sick_host",
    ),
    Trap(
        "E11",
        "“Invalid load message”, a bug of a beta build.",
        "Shows the words; one try.",
        test="test_e11_invalid_load_message_is_told_in_its_own_words",
    ),
    Trap(
        "E12",
        "“Attempt to pull a snapshot of system resources failed”: every load fails until a restart.",
        "The host is sick: the same as E10.",
        test="test_e12_the_resources_observer_is_down_means_a_sick_host",
    ),
    Trap(
        "E13",
        "“Received load-error”, “Cannot read properties of undefined”: the cause is in the log only.",
        "Looks again and tries once more; then the model is put aside.",
        test="test_e13_an_internal_wrapper_is_tried_once_more",
    ),
    Trap(
        "E14",
        "“Operation canceled.”, “Failed to load model.” without a cause.",
        "Looks again and tries once more; then the model is put aside.",
        test="test_e14_a_load_aborted_for_no_reason_is_tried_once_more",
    ),
    Trap(
        "E15",
        "“Model X not found in downloaded models” (404).",
        "Permanent: says that it is not installed and offers another one.",
        test="test_e15_a_404_of_the_load_itself_is_permanent",
    ),
    # ------------------------------------------------------------ F
    Trap(
        "F1",
        "The load of REST v1 sends nothing until it is done: no progress, no cancel.",
        "Waits LOAD_TIMEOUT under a card that counts; looks at v0's state and at the host's life beside it.",
        test="test_f1_an_answer_that_never_comes_is_seen_in_the_list",
    ),
    Trap(
        "F2",
        "Nothing is sent while a prompt is read, which takes minutes.",
        "Half an hour of patience for the first word, under a card that counts; the host is watched meanwhile.",
        test="test_f2_five_minutes_of_silence_before_the_first_word",
    ),
    Trap(
        "F3",
        "A disconnect stops the model only after it has read the prompt to its end.",
        "Gives the slot on when the host says that it is idle, or after ten seconds where it says nothing.",
        test="test_f3_the_slot_of_an_abandoned_prompt_is_given_on_when_the_host_is_idle",
    ),
    Trap(
        "F4",
        "The request right after an abort fails, or queues behind the dead one.",
        "One retry a second later, for ten seconds after an abort only.",
        test="test_f4_the_request_right_after_an_abort_is_tried_once_more",
    ),
    Trap(
        "F5",
        "LM Link yields no chunk at all, or a cut connection.",
        "Never an empty answer: another host answers, or a card says what happened.",
        test="test_f5_a_stream_without_a_chunk_is_an_error",
    ),
    Trap(
        "F6",
        "Idle connections are closed after five seconds: a pooled one is reset.",
        "Keeps them for four; a GET that meets a reset is sent again.",
        test="test_f6_a_reset_of_a_pooled_connection_is_not_seen",
    ),
    Trap(
        "F7",
        "WebSocket: what is unknown is only warned about, later not even that; the call waits for ever.",
        "A warning fails what waits; a channel that says nothing is given up; then the next way of loading.",
        test="test_f7_a_channel_that_says_nothing_is_given_up_for_another_way",
    ),
    Trap(
        "F8",
        "A WebSocket goes stale after sleep.",
        "Signs of life every 5 s, given up after 15; looks on another connection, and loads nothing twice.",
        test="test_f8_a_socket_gone_stale_is_noticed_and_the_load_goes_on",
    ),
    Trap(
        "F9",
        "A download has no cancel and tells no reason for a failure.",
        "Nothing is downloaded through LM Studio.",
        why_not="The program never calls the download routes: people get models in LM Studio itself.",
    ),
    # ------------------------------------------------------------ G
    Trap(
        "G1",
        "Parallel requests share the context: one too long fails them all.",
        "Lets in only what fits together; a victim begins again by itself, once, with the context for itself.",
        test="test_g1_the_innocent_victim_of_a_neighbours_overflow_is_answered_after_all",
    ),
    Trap(
        "G2",
        "A new prompt freezes the answers that run.",
        "Ten minutes of patience between two words while the host lives.",
        test="test_g2_a_neighbours_prompt_may_freeze_an_answer_for_minutes",
    ),
    Trap(
        "G3",
        "Concurrent requests spoil each other's prompt cache (MLX).",
        "One conversation at a time for each MLX instance; the others see their place in the queue.",
        test="test_g3_an_mlx_instance_has_one_conversation_at_a_time",
    ),
    Trap(
        "G4",
        "MLX engines crash on concurrent requests.",
        "MLX_PARALLEL, by default 1, says how many are sent at once.",
        test="test_g4_how_many_an_mlx_engine_bears_is_a_setting",
    ),
    Trap(
        "G5",
        "The server's queue misbehaves and cannot be seen.",
        "A queue of its own: never more in flight than the instance runs at once.",
        test="test_g5_lm_studios_own_queue_is_never_used",
    ),
    # ------------------------------------------------------------ H
    Trap(
        "H1",
        "No version over HTTP; which routes exist depends on the build, and missing ones answer 200.",
        "Finds out by shape, best API first; remembers it until the connection is lost; a 401 is no missing route.",
        test="test_h1_the_best_api_is_found_by_its_shape_and_remembered",
    ),
    Trap(
        "H2",
        "The daemon's version numbers are another series than the desktop's.",
        "Shows the version and decides nothing by it.",
        test="test_h2_a_version_is_shown_and_decides_nothing",
    ),
    Trap(
        "H3",
        "LM Studio Bionic has the same port and API, and other formats.",
        "Accepts any format, and does not insist on the product's greeting.",
        test="test_h3_a_neighbour_with_the_same_api_and_a_new_format_is_used",
    ),
    Trap(
        "H4",
        "The Python SDK has no tokens, or loses them.",
        "A client of its own that sends the token with every request on every wire.",
        test="test_h4_the_token_is_sent_with_every_request_on_every_wire",
    ),
    Trap(
        "H5",
        "New fields and values of a server update break strict clients.",
        "Reads tolerantly: what is unknown or odd is passed over, field by field.",
        test="test_h5_fields_of_another_build_are_tolerated",
    ),
    Trap(
        "H6",
        "Authentication, just-in-time loading and eviction cannot be set from outside.",
        "Works with any of these settings.",
        test="test_h6_whatever_the_host_is_switched_to_it_answers",
    ),
    Trap(
        "H7",
        "Reasoning comes in `reasoning_content`, in `reasoning`, or as tags in the answer.",
        "Tells it apart in every form and never sends it back.",
        test="test_h7_reasoning_is_told_apart_wherever_it_comes",
    ),
    Trap(
        "H8",
        "Reasoning eats the whole budget, and native chat does not say so.",
        "Uses /v1, which has a finish reason; says that the answer was cut, and that only reasoning came.",
        test="test_h8_reasoning_that_eats_the_whole_budget_is_told",
    ),
    Trap(
        "H9",
        "Native chat stores every call for up to 30 days by default.",
        "Never calls it: nothing stays on the host.",
        test="test_h9_nothing_is_left_on_the_host",
    ),
)
