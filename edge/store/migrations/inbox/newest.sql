CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('inbox_0003');
CREATE TABLE api_key (
        key_sha256 BLOB NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        added_utc_us BIGINT NOT NULL,
        PRIMARY KEY (key_sha256)
    );
CREATE TABLE goods (
        sku TEXT NOT NULL,
        unit_weight_g INTEGER NOT NULL,
        parts TEXT NOT NULL,
        PRIMARY KEY (sku)
    );
CREATE TABLE goods_barcode (
        barcode TEXT NOT NULL,
        sku TEXT NOT NULL,
        PRIMARY KEY (barcode, sku)
    );
CREATE TABLE inbox (
        inbox_seq INTEGER NOT NULL,
        at_utc_us BIGINT NOT NULL,
        kind TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body_sha256 BLOB NOT NULL,
        body TEXT NOT NULL, asked_by TEXT DEFAULT '' NOT NULL, asked_role TEXT DEFAULT '' NOT NULL,
        PRIMARY KEY (inbox_seq)
    );
CREATE TABLE key_change (
        no INTEGER NOT NULL,
        at_utc_us BIGINT NOT NULL,
        what TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        asked_role TEXT NOT NULL,
        PRIMARY KEY (no)
    );
CREATE TABLE message (
        message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        body_sha256 BLOB NOT NULL,
        outcome TEXT NOT NULL,
        inbox_seq BIGINT NOT NULL,
        version BIGINT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (message_id)
    );
CREATE TABLE order_parcel (
        waybill TEXT NOT NULL,
        order_no TEXT NOT NULL,
        position INTEGER NOT NULL,
        removed BOOLEAN NOT NULL,
        routing_code TEXT NOT NULL,
        bag_place TEXT NOT NULL,
        tare_g INTEGER NOT NULL,
        expected_weight_g INTEGER,
        tolerance_g INTEGER NOT NULL,
        lines TEXT NOT NULL,
        PRIMARY KEY (waybill)
    );
CREATE TABLE orders (
        order_no TEXT NOT NULL,
        version BIGINT NOT NULL,
        status TEXT NOT NULL,
        inbox_seq BIGINT NOT NULL,
        customer_code TEXT NOT NULL,
        shop TEXT NOT NULL,
        carrier TEXT NOT NULL,
        province TEXT NOT NULL,
        city TEXT NOT NULL,
        district TEXT NOT NULL,
        body TEXT NOT NULL, pick_slip_no TEXT DEFAULT '' NOT NULL,
        PRIMARY KEY (order_no)
    );
CREATE TABLE "plan" (
        plan_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        inbox_seq BIGINT NOT NULL,
        active BOOLEAN NOT NULL,
        PRIMARY KEY (plan_id, version)
    );
CREATE INDEX order_parcel_order ON order_parcel (order_no)
    ;
CREATE INDEX goods_barcode_sku ON goods_barcode (sku)
    ;
CREATE INDEX orders_pick_slip ON orders (pick_slip_no) WHERE pick_slip_no != '';
