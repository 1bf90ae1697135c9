"""The traps of the sections A, B and C."""

from tests.contract.traps import Trap

TRAPS_ABC: tuple[Trap, ...] = (
    # ------------------------------------------------------------ A
    Trap(
        "A1",
        "An unknown route or method answers 200 (some builds 404) with a sentence in `error`.",
        "Decides by the shape of the body; both statuses mean that the route is missing, and the next API is used.",
        test="test_a1_a_missing_route_is_known_by_its_body",
    ),
    Trap(
        "A2",
        "An address that ends in `/v1` makes paths such as `/v1/models/unload`, which look like successes.",
        "Cuts every address to its origin; an unload counts only if the answer names the instance.",
        test="test_a2_an_address_with_a_path_is_cut_to_its_origin",
    ),
    Trap(
        "A3",
        "`error` is an object in some answers and a string in others.",
        "Reads both, and tells the same words.",
        test="test_a3_errors_are_objects_or_strings",
    ),
    Trap(
        "A4",
        "A stream that fails is status 200 with an error frame, or closes without a chunk.",
        "Looks for an error in every frame; a stream without a chunk is asked for unstreamed, which tells why.",
        test="test_a4_a_failed_stream_is_no_empty_success",
    ),
    Trap(
        "A5",
        "An `error` event of native chat is followed by `chat.end`, as if all were well.",
        "Never calls native chat; an error after the first words keeps them and is told as an interruption.",
        test="test_a5_an_error_after_the_first_words_keeps_them_and_is_an_error",
    ),
    Trap(
        "A6",
        "A failed load is 500, or 200 with an error in the body.",
        "Believes only `status: loaded` with an `instance_id`.",
        test="test_a6_a_load_failed_whatever_its_status",
    ),
    Trap(
        "A7",
        "A prompt that is too long is 400, 500 or 200 with a frame, in several wordings.",
        "Goes by the words; sends fewer old messages, and the same prompt never again.",
        test="test_a7_too_long_is_known_by_its_words",
    ),
    Trap(
        "A8",
        "A chat template that fails is a 500 with a Jinja text, also when the system message is not first.",
        "Sends the system message first; tells of a broken template and does not ask again.",
        test="test_a8_a_broken_template_is_not_asked_again",
    ),
    Trap(
        "A9",
        "A crash of the server's validation leaks minified names (`_0x… is not iterable`).",
        "Treats it as a refused request: told once, the model stays in use.",
        test="test_a9_minified_names_are_a_refused_request",
    ),
    Trap(
        "A10",
        "v1 bodies are strict: a key that the build does not know is a 400.",
        "Sends listed keys only; an optional one that is refused is dropped, once.",
        test="test_a10_a_key_that_a_build_does_not_know_is_dropped_once",
    ),
    Trap(
        "A11",
        "The documentation calls a text item of native chat `message`, the server wants `text`.",
        "Does not meet it: answers come from `/v1/chat/completions`.",
        why_not="native chat only, which the program never calls",
    ),
    Trap(
        "A12",
        "v0 answers a 500 with HTML once, just as a load begins.",
        "Asks a GET whose body is no JSON a second time.",
        test="test_a12_a_page_of_html_as_a_load_begins_is_asked_again",
    ),
    Trap(
        "A13",
        "An old build with authentication calls every route unknown instead of 401.",
        "Sends the token with every request; a greeting without a single route is told as a missing token.",
        test="test_a13_routes_that_hide_from_strangers_are_a_missing_token",
    ),
    Trap(
        "A14",
        "In some builds streaming is dead.",
        "Asks for the answer in one piece when the stream brought nothing.",
        test="test_a14_a_build_whose_streams_are_dead_answers_in_one_piece",
    ),
    # ------------------------------------------------------------ B
    Trap(
        "B1",
        "The v1 list shows an instance from the start of its load.",
        "Takes readiness from v0's `state`, from the load's own answer, or from WebSocket.",
        test="test_b1_a_model_that_is_still_loading_is_not_taken_for_ready",
    ),
    Trap(
        "B2",
        "The v1 list is empty while a model is loaded.",
        "Joins it with v0's states; what either names is loaded, and is found when it shall be unloaded.",
        test="test_b2_an_empty_list_is_not_believed_alone",
    ),
    Trap(
        "B3",
        "With just-in-time loading off v0 and `/v1/models` list only what is loaded.",
        "Takes the catalogue from v1; on older builds a model that was seen once stays known.",
        test="test_b3_absence_from_v0_is_not_absence_from_the_disk",
    ),
    Trap(
        "B4",
        "With exactly one model loaded any unknown name is answered by it, with 200.",
        "Asks only for names of the catalogue and compares the `model` of every answer, that of a load too.",
        test="test_b4_the_words_of_another_model_are_not_shown",
    ),
    Trap(
        "B5",
        "An instance may be loaded, and be reported, under a name of its own.",
        "Maps instances to models by the v1 list and asks by the instance's name.",
        test="test_b5_an_instance_under_a_name_of_its_own_is_found_and_used",
    ),
    Trap(
        "B6",
        "A load may come with more or less context than was asked for, and still reports success.",
        "Reads the context back after the load, fits prompts to it, and does not load again for it.",
        test="test_b6_the_context_that_came_counts_not_the_one_asked_for",
    ),
    Trap(
        "B7",
        "Loads just in time ignore the saved settings of a model.",
        "Loads explicitly where it can, with the operator's context; LOAD_MODE decides.",
        test="test_b7_an_explicit_load_carries_its_own_values",
    ),
    Trap(
        "B8",
        "LM Studio's queue cannot be seen, and waiting in it burns the client's patience.",
        "Keeps a queue of its own: never more in flight than `config.parallel`, or 4 where it is not told.",
        test="test_b8_no_more_are_sent_than_the_instance_runs_at_once",
    ),
    Trap(
        "B9",
        "Embeddings are cut silently, report no tokens, and may name the model `key@quant`.",
        "Asks for no embeddings; compares names without their quantisation.",
        test="test_b9_a_quantisation_behind_the_name_is_the_same_model",
    ),
    Trap(
        "B10",
        "`ttl` is ignored or misread by several routes.",
        "Never sends one: frees memory by unloading, and loads again what has expired.",
        test="test_b10_memory_is_freed_by_unloading_not_by_waiting",
    ),
    Trap(
        "B11",
        "With LM Link a loaded model may run on another machine, and REST does not say so.",
        "Never adds up what is loaded: whether a model fits is the host's own estimate.",
        test="test_b11_what_is_loaded_says_nothing_of_this_machines_memory",
    ),
    Trap(
        "B12",
        "`lms server start` reports success though another program owns the port.",
        "Believes answers of the right shape only; else the person hears that no LM Studio is there.",
        test="test_b12_another_program_on_the_port_is_not_lm_studio",
    ),
    Trap(
        "B13",
        "`lms server start` and `stop` reset CORS and bind address.",
        "Does not meet it: starting the server is left to people.",
        why_not="`lms` command line only, which the program never calls",
    ),
    # ------------------------------------------------------------ C
    Trap(
        "C1",
        "`POST /api/v1/models/load` always makes a new instance, also of a loaded model.",
        "Looks first and uses what is there; one load at a time on each host.",
        test="test_c1_a_loaded_model_is_never_loaded_again",
    ),
    Trap(
        "C2",
        "Each of several requests while nothing is loaded starts a load of its own.",
        "The first one loads, the others watch that load and wait for it.",
        test="test_c2_many_first_messages_make_one_load",
    ),
    Trap(
        "C3",
        "After the time to live the next request shows the model twice.",
        "Looks again after each load: its own second copy is unloaded.",
        test="test_c3_our_copy_leaves_when_the_one_thought_gone_shows_up_again",
    ),
    Trap(
        "C4",
        "Two programs look and load at once.",
        "The older instance is kept; only a copy of its own is taken back, never another program's.",
        test="test_c4_of_two_programs_that_load_at_once_the_later_copy_is_ours_to_take_back",
    ),
    Trap(
        "C5",
        "While a model is exchanged, traffic brings it back, and the load fails with “already exists”.",
        "Takes “already exists” for loaded; messages wait until the exchange is over.",
        test="test_c5_what_exists_already_is_loaded",
    ),
    Trap(
        "C6",
        "There is no reconfiguration: another context needs room for two copies.",
        "Never loads beside a loaded copy: a person unloads, what is left is looked at, then it is loaded.",
        test="test_c6_another_context_means_unload_then_load",
    ),
    Trap(
        "C7",
        "`key@quant` answers chats, but is a 404 for a load.",
        "Cuts the quantisation off for the load.",
        test="test_c7_a_load_names_the_bare_key",
    ),
    Trap(
        "C8",
        "Unloading `key` leaves `key:2`; instance names are case-sensitive.",
        "Unloads every listed instance by its exact name.",
        test="test_c8_unloading_means_every_instance_by_its_exact_name",
    ),
    Trap(
        "C9",
        "A load that timed out here goes on there: a retry makes a second copy.",
        "After a timeout or a lost connection it looks first, and waits for the load that is under way.",
        test="test_c9_a_load_that_outlasted_our_patience_is_not_begun_again",
    ),
)
