"""What somebody is to the bot, from the settings and from what was decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.rules import Rules, role_of
from core.people import Grant, Role, Visitor, is_group, is_who

CLOSED, OPEN = Rules(), Rules(open=True)
ADMIN = Rules(admins=frozenset({"telegram:1"}))


def grants(**roles: Role) -> dict[str, Grant]:
    """`telegram_42=Role.GUEST`; `_` stands for `:`."""
    named = {who.replace("_", ":").replace("minus", "-"): role for who, role in roles.items()}
    return {who: Grant(who, role, "", "telegram:1", 0.0) for who, role in named.items()}


GROUP, OTHER = "telegram:-100", "telegram:-200"
CASES = [
    (CLOSED, {}, Role.STRANGER),
    (OPEN, {}, Role.GUEST),
    (ADMIN, {}, Role.STRANGER),
    (CLOSED, {"telegram_42": Role.MEMBER}, Role.MEMBER),
    (OPEN, {"telegram_42": Role.DENIED}, Role.DENIED),
    (CLOSED, {"telegram_minus100": Role.GUEST}, Role.GUEST),
    (CLOSED, {"telegram_minus100": Role.GUEST, "telegram_minus200": Role.MEMBER}, Role.MEMBER),
    (CLOSED, {"telegram_minus100": Role.DENIED, "telegram_minus200": Role.MEMBER}, Role.DENIED),
    (OPEN, {"telegram_minus100": Role.DENIED}, Role.DENIED),
    (CLOSED, {"telegram_42": Role.DENIED, "telegram_minus100": Role.MEMBER}, Role.DENIED),
    (CLOSED, {"telegram_42": Role.GUEST, "telegram_minus100": Role.DENIED}, Role.GUEST),
    (CLOSED, {"telegram_43": Role.MEMBER, "telegram_minus300": Role.MEMBER}, Role.STRANGER),
]


@pytest.mark.parametrize(("rules", "decided", "role"), CASES)
def test_the_nearer_word_counts(rules: Rules, decided: dict[str, Role], role: Role) -> None:
    """A person's own decision goes before the groups', a no of a group before a yes, and all before open doors."""
    assert role_of(Visitor("telegram:42", groups=(GROUP, OTHER)), rules, grants(**decided)) is role


def test_the_machine_and_the_setting_cannot_be_overruled() -> None:
    """Whoever sits at the machine and the setting's administrators stay that, whatever was decided."""
    denied = grants(telegram_1=Role.DENIED, telegram_42=Role.DENIED, telegram_minus100=Role.DENIED)
    assert role_of(Visitor("telegram:42", local=True), CLOSED, denied) is Role.ADMINISTRATOR
    assert role_of(Visitor("telegram:1", groups=(GROUP,)), ADMIN, denied) is Role.ADMINISTRATOR


@given(st.lists(st.sampled_from([GROUP, OTHER, "discord:guild:1", "discord:role:2"])), st.booleans())
def test_groups_of_strangers_open_nothing(groups: list[str], open_: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    """Without any decision nobody is more than the settings say, whatever the person belongs to."""
    visitor = Visitor("discord:5", groups=tuple(groups))
    assert role_of(visitor, Rules(open=open_), {}) is (Role.GUEST if open_ else Role.STRANGER)


@pytest.mark.parametrize(
    ("text", "who", "group"),
    [
        ("telegram:42", True, False),
        ("telegram:-100123", True, True),
        ("discord:guild:1", True, True),
        ("discord:role:2", True, True),
        ("console:local", True, False),
        ("42", False, False),
        ("telegram:", False, False),
        ("telegram:4 2", False, False),
        ("telegram:../x", False, False),
        ("Telegram:42", False, False),
        ("telegram:42\n", False, False),
        ("telegram:" + "9" * 50, False, False),
    ],
)
def test_whom_a_word_names(text: str, who: bool, group: bool) -> None:  # noqa: FBT001  # a table
    """People and groups are told apart by their shape, and nothing else is either."""
    assert (is_who(text), is_group(text)) == (who, group)
