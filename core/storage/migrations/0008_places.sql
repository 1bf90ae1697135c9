-- Channels in which everything that is written is meant for the bot, as an administrator there decided.
-- `chat` is written as conversations are: platform:chat:thread.

CREATE TABLE places (
    chat TEXT PRIMARY KEY
);
