CREATE TABLE alarm (
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL,
        raised_at_us BIGINT NOT NULL,
        raised_utc_us BIGINT, acknowledged_by TEXT DEFAULT '' NOT NULL, acknowledged_utc_us BIGINT,
        PRIMARY KEY (kind, subject)
    );
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('journal_0004');
CREATE TABLE cancel_answer (
        inbox_seq INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        order_no TEXT NOT NULL,
        outcome TEXT NOT NULL,
        track BIGINT NOT NULL,
        place TEXT NOT NULL,
        final BOOLEAN NOT NULL,
        at_us BIGINT NOT NULL,
        PRIMARY KEY (inbox_seq)
    );
CREATE TABLE chute_state (
        chute TEXT NOT NULL,
        enabled BOOLEAN NOT NULL,
        "full" BOOLEAN NOT NULL,
        since_us BIGINT NOT NULL, since_utc_us BIGINT,
        PRIMARY KEY (chute)
    );
CREATE TABLE coding (
        track INTEGER NOT NULL,
        since_utc_us BIGINT,
        codes TEXT NOT NULL,
        waybill TEXT DEFAULT '' NOT NULL,
        coded_by TEXT DEFAULT '' NOT NULL,
        coded_utc_us BIGINT,
        coded_check TEXT DEFAULT '' NOT NULL,
        outcome TEXT DEFAULT '' NOT NULL,
        PRIMARY KEY (track)
    );
CREATE TABLE day (
        day TEXT NOT NULL,
        first_seq BIGINT NOT NULL,
        PRIMARY KEY (day)
    );
CREATE TABLE device_state (
        device TEXT NOT NULL,
        up BOOLEAN NOT NULL,
        why TEXT NOT NULL,
        since_us BIGINT NOT NULL,
        since_utc_us BIGINT,
        PRIMARY KEY (device)
    );
CREATE TABLE event (
        seq INTEGER NOT NULL,
        at_us BIGINT NOT NULL,
        utc_us BIGINT,
        kind TEXT NOT NULL,
        track BIGINT,
        body TEXT NOT NULL,
        hash BLOB NOT NULL,
        PRIMARY KEY (seq)
    );
CREATE TABLE line_state (
        id INTEGER NOT NULL,
        state TEXT NOT NULL,
        why TEXT NOT NULL,
        since_us BIGINT NOT NULL,
        permitted BOOLEAN NOT NULL,
        permit_why TEXT NOT NULL,
        "plan" TEXT NOT NULL,
        plan_version INTEGER NOT NULL, since_utc_us BIGINT,
        PRIMARY KEY (id)
    );
CREATE TABLE meta (
        "key" TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY ("key")
    );
CREATE TABLE parcel (
        track INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        number BIGINT NOT NULL,
        state TEXT NOT NULL,
        first_seq BIGINT NOT NULL,
        last_seq BIGINT,
        inducted_at_us BIGINT NOT NULL,
        inducted_utc_us BIGINT,
        length_mm INTEGER NOT NULL,
        read_quality TEXT,
        waybill TEXT DEFAULT '' NOT NULL,
        order_no TEXT,
        order_version INTEGER,
        customer_code TEXT,
        shop TEXT,
        carrier TEXT,
        weight_g INTEGER,
        weight_quality TEXT,
        expected_g INTEGER,
        decided_at_us BIGINT,
        decided_reason TEXT,
        decided_chute TEXT,
        decided_exit INTEGER,
        rule TEXT,
        "plan" TEXT,
        plan_version INTEGER,
        told_at_us BIGINT,
        decide_to_told_us BIGINT,
        plc_wait_us BIGINT,
        exited_at_us BIGINT,
        exited_utc_us BIGINT,
        actual_exit INTEGER,
        actual_chute TEXT,
        exit_reason TEXT,
        shipped BOOLEAN DEFAULT '0' NOT NULL,
        counts_as_shipped BOOLEAN DEFAULT '0' NOT NULL,
        mis_sorted BOOLEAN DEFAULT '0' NOT NULL,
        PRIMARY KEY (track)
    );
CREATE TABLE review (
            order_no TEXT NOT NULL,
            waybill TEXT NOT NULL,
            slip TEXT NOT NULL,
            order_version BIGINT NOT NULL,
            contents TEXT NOT NULL,
            bench TEXT NOT NULL,
            state TEXT NOT NULL,
            opened_at_us BIGINT NOT NULL,
            opened_utc_us BIGINT,
            reason TEXT,
            pieces INTEGER,
            missing TEXT NOT NULL,
            extra TEXT NOT NULL,
            judged_at_us BIGINT,
            judged_utc_us BIGINT,
            PRIMARY KEY (order_no)
        );
CREATE TABLE segment (
        no INTEGER NOT NULL,
        file TEXT NOT NULL,
        first_seq BIGINT NOT NULL,
        last_seq BIGINT NOT NULL,
        "before" BLOB NOT NULL,
        head BLOB NOT NULL,
        PRIMARY KEY (no)
    );
CREATE TABLE shipped (
        waybill TEXT NOT NULL,
        track INTEGER NOT NULL,
        place TEXT NOT NULL,
        chute TEXT NOT NULL,
        at_us BIGINT NOT NULL,
        PRIMARY KEY (waybill, track)
    );
CREATE TABLE snapshot (
        seq INTEGER NOT NULL,
        body BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        PRIMARY KEY (seq)
    );
CREATE INDEX parcel_open ON parcel (track) WHERE last_seq IS NULL
    ;
CREATE INDEX parcel_waybill ON parcel (waybill) WHERE waybill != ''
    ;
CREATE INDEX cancel_answer_message ON cancel_answer (message_id)
    ;
CREATE INDEX parcel_ended ON parcel (last_seq) WHERE last_seq IS NOT NULL;
CREATE INDEX review_waybill ON review (waybill);
