CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('gateway_0002');
CREATE TABLE dead_letter (
        id INTEGER NOT NULL,
        target TEXT NOT NULL,
        seq BIGINT NOT NULL,
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        tries INTEGER NOT NULL,
        why TEXT NOT NULL,
        tried_utc_us BIGINT NOT NULL,
        wanted BOOLEAN NOT NULL, retries INTEGER DEFAULT '0' NOT NULL, due_utc_us BIGINT,
        PRIMARY KEY (id),
        UNIQUE (target, seq)
    );
CREATE TABLE relay_cursor (
        target TEXT NOT NULL,
        seen BIGINT NOT NULL,
        sent BIGINT NOT NULL,
        PRIMARY KEY (target)
    );
