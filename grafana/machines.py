"""What the line stands on: the dashboards devices and system."""

from grafana.panels import Board, Look, Panel, Query, quantiles

DEVICES = Board(
    name="devices",
    en="Devices",
    zh="设备",
    panels=(
        Panel(
            en="Link up",
            zh="已连接",
            look=Look.STATES,
            queries=(Query("beltkeeper_device_up{LINE}", "{{line}} {{device}}"),),
            width=12,
            off="down",
            on="up",
        ),
        Panel(
            en="Since the last word",
            zh="距上次应答",
            look=Look.CURVES,
            queries=(Query("beltkeeper_device_heard_age_seconds{LINE}", "{{line}} {{device}}"),),
            unit="s",
            width=12,
        ),
        Panel(
            en="Waiting for the PLC, of decided → told",
            zh="决定 → 告知 中等待 PLC",
            look=Look.CURVES,
            queries=quantiles("beltkeeper_plc_wait_seconds"),
            unit="s",
            width=12,
        ),
        Panel(
            en="Commands that the PLC refused, in 5 min",
            zh="5 分钟内 PLC 拒绝的命令",
            look=Look.STACK,
            queries=(
                Query(
                    "sum by (status) (increase(beltkeeper_commands_refused_total{LINE}[5m]))", "{{status}}"
                ),
            ),
            width=12,
        ),
        Panel(
            en="Standing alarms by kind",
            zh="未消除的报警，按种类",
            look=Look.STATES,
            queries=(
                Query(
                    "clamp_max(sum by (line, kind) (beltkeeper_alarms_standing{LINE}), 1)",
                    "{{line}} {{kind}}",
                ),
            ),
            width=24,
            off="–",
            on="stands",
        ),
    ),
)

SYSTEM = Board(
    name="system",
    en="System",
    zh="系统",
    panels=(
        Panel(
            en="Line and gateway answer",
            zh="产线与网关应答",
            look=Look.STATES,
            queries=(Query('up{job=~"beltkeeper-.*", LINE}', "{{line}} {{job}}"),),
            width=12,
            off="down",
            on="up",
        ),
        Panel(
            en="Free on the record's disk",
            zh="记录所在磁盘剩余",
            look=Look.CURVES,
            queries=(Query("beltkeeper_disk_free_bytes{LINE}", "{{line}}"),),
            unit="bytes",
            width=12,
        ),
        Panel(
            en="Waiting: inputs, rows, writes",
            zh="排队：输入、记录行、写入",
            look=Look.CURVES,
            queries=(
                Query("beltkeeper_queue_inputs{LINE}", "{{line}} inputs for the line loop"),
                Query("beltkeeper_journal_backlog_rows{LINE}", "{{line}} rows not yet durable"),
                Query("beltkeeper_gateway_writes_waiting{LINE}", "{{line}} writes of the gateway"),
            ),
            width=12,
        ),
        Panel(
            en="One durable commit of the inbox",
            zh="收件库一次落盘",
            look=Look.CURVES,
            queries=quantiles("beltkeeper_gateway_commit_duration_seconds"),
            unit="s",
            width=12,
        ),
        Panel(
            en="Requests per second by answer",
            zh="每秒请求，按应答",
            look=Look.STACK,
            queries=(
                Query(
                    "sum by (status) (rate(beltkeeper_gateway_requests_total{LINE}[$__rate_interval]))",
                    "{{status}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            en="Requests per second by route",
            zh="每秒请求，按路径",
            look=Look.STACK,
            queries=(
                Query(
                    "sum by (method, route) "
                    "(rate(beltkeeper_gateway_requests_total{LINE}[$__rate_interval]))",
                    "{{method}} {{route}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            en="Duration by route",
            zh="耗时，按路径",
            look=Look.CURVES,
            queries=quantiles("beltkeeper_gateway_request_duration_seconds", "route"),
            unit="s",
        ),
        Panel(
            en="Open requests and streams",
            zh="未完成的请求与事件流",
            look=Look.CURVES,
            queries=(
                Query("beltkeeper_gateway_requests_in_flight{LINE}", "{{line}} requests"),
                Query("beltkeeper_gateway_streams{LINE}", "{{line}} streams"),
            ),
        ),
        Panel(
            en="Cancels in 5 min by answer",
            zh="5 分钟内取消，按答复",
            look=Look.STACK,
            queries=(
                Query(
                    "sum by (outcome) (increase(beltkeeper_gateway_cancels_total{LINE}[5m]))", "{{outcome}}"
                ),
            ),
        ),
        Panel(
            en="Requests without a valid key, in 5 min",
            zh="5 分钟内无有效密钥的请求",
            look=Look.FIGURE,
            queries=(Query("sum(increase(beltkeeper_gateway_keys_refused_total{LINE}[5m]))"),),
            bad_from=10,
        ),
        Panel(
            en="Rows of the inbox per minute",
            zh="收件库每分钟行数",
            look=Look.CURVES,
            queries=(Query("60 * deriv(beltkeeper_gateway_inbox_seq{LINE}[5m])", "{{line}}"),),
            width=12,
        ),
        Panel(
            en="Starts of the line process in an hour",
            zh="一小时内产线进程启动次数",
            look=Look.CURVES,
            queries=(Query("changes(beltkeeper_start_time_seconds{LINE}[1h])", "{{line}}"),),
            width=12,
        ),
        Panel(
            en="Relay: target takes messages",
            zh="转发：目标可接收",
            look=Look.STATES,
            queries=(Query("beltkeeper_gateway_relay_up{LINE}", "{{line}} {{target}}"),),
            off="down",
            on="up",
        ),
        Panel(
            en="Relay: messages and failed tries per minute",
            zh="转发：每分钟消息与失败次数",
            look=Look.CURVES,
            queries=(
                Query(
                    "60 * rate(beltkeeper_gateway_relay_sent_total{LINE}[$__rate_interval])",
                    "{{target}} sent",
                ),
                Query(
                    "60 * rate(beltkeeper_gateway_relay_failures_total{LINE}[$__rate_interval])",
                    "{{target}} failed",
                ),
            ),
        ),
        Panel(
            en="Relay: row of the record reached",
            zh="转发：已处理到的记录行",
            look=Look.CURVES,
            queries=(Query("beltkeeper_gateway_relay_seq{LINE}", "{{line}} {{target}}"),),
            width=4,
        ),
        Panel(
            en="Relay: dead letters",
            zh="转发：死信",
            look=Look.FIGURE,
            queries=(Query("sum(beltkeeper_gateway_relay_dead_letters{LINE})"),),
            width=4,
            bad_from=1,
        ),
    ),
)
