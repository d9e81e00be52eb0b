"""The five dashboards, and the metrics that are on none of them."""

from typing import Final

from grafana.panels import Board, Look, Panel, Query, hourly, quantiles, share

READING_REASONS = "no_read|multi_read|code_changed|foreign_label|position_unknown"
WEIGHING_REASONS = "weight_invalid|weight_mismatch|overweight|two_on_one"

LINE = Board(
    name="line",
    en="Line",
    zh="产线",
    panels=(
        Panel(
            en="Inducted per hour",
            zh="每小时上件",
            look=Look.FIGURE,
            queries=(Query("3600 * sum(rate(beltkeeper_parcels_inducted_total{LINE}[5m]))"),),
            width=4,
        ),
        Panel(
            en="On the belt",
            zh="皮带上",
            look=Look.FIGURE,
            queries=(Query("sum(beltkeeper_parcels_on_belt{LINE})"),),
            width=4,
        ),
        Panel(
            en="Shipped, of all exits in 15 min",
            zh="15 分钟内出货占比",
            look=Look.FIGURE,
            queries=(
                Query(
                    share(
                        'beltkeeper_parcels_exited_total{LINE, reason="ok"}',
                        "beltkeeper_parcels_exited_total{LINE}",
                        "15m",
                    )
                ),
            ),
            unit="percentunit",
            width=4,
            bad_below=0.85,
        ),
        Panel(
            en="Mis-sorted in an hour",
            zh="一小时内错分",
            look=Look.FIGURE,
            queries=(Query("sum(increase(beltkeeper_parcels_mis_sorted_total{LINE}[1h]))"),),
            width=4,
            bad_from=1,
        ),
        Panel(
            en="Missing in an hour",
            zh="一小时内缺失",
            look=Look.FIGURE,
            queries=(Query("sum(increase(beltkeeper_parcels_missing_total{LINE}[1h]))"),),
            width=4,
            bad_from=1,
        ),
        Panel(
            en="Standing alarms",
            zh="未消除的报警",
            look=Look.FIGURE,
            queries=(Query("sum(beltkeeper_alarms_standing{LINE})"),),
            width=4,
            bad_from=1,
        ),
        Panel(
            en="State of the line",
            zh="产线状态",
            look=Look.STATES,
            queries=(Query("beltkeeper_line_state{LINE}", "{{line}} {{state}}"),),
            width=12,
        ),
        Panel(
            en="Induction permitted",
            zh="允许上件",
            look=Look.STATES,
            queries=(Query("beltkeeper_induction_permitted{LINE}", "{{line}}"),),
            width=12,
            off="off",
            on="on",
        ),
        Panel(
            en="Exits per hour by chute",
            zh="各格口每小时出件",
            look=Look.STACK,
            queries=(hourly("beltkeeper_parcels_exited_total", "chute"),),
            width=12,
        ),
        Panel(
            en="Exits per hour that did not ship, by reason",
            zh="每小时未出货的出件，按原因",
            look=Look.STACK,
            queries=(hourly("beltkeeper_parcels_exited_total", "reason", 'reason!="ok"'),),
            width=12,
        ),
        Panel(
            en="Decisions per hour by reason",
            zh="每小时决定，按原因",
            look=Look.STACK,
            queries=(hourly("beltkeeper_decisions_total", "reason"),),
            width=12,
        ),
        Panel(
            en="Decided → told to the PLC",
            zh="决定 → 告知 PLC",
            look=Look.CURVES,
            queries=quantiles("beltkeeper_decide_to_told_seconds"),
            unit="s",
            width=12,
            bad_from=0.05,
        ),
    ),
)

READING = Board(
    name="reading",
    en="Reading",
    zh="读码",
    panels=(
        Panel(
            en="Read rate of 15 min",
            zh="15 分钟读码率",
            look=Look.FIGURE,
            queries=(
                Query(
                    share(
                        'beltkeeper_reads_total{LINE, quality="good"}', "beltkeeper_reads_total{LINE}", "15m"
                    )
                ),
            ),
            unit="percentunit",
            bad_below=0.97,
        ),
        Panel(
            en="Windows per hour by quality",
            zh="每小时读码窗口，按质量",
            look=Look.STACK,
            queries=(hourly("beltkeeper_reads_total", "quality"),),
            width=16,
        ),
        Panel(
            en="Rejected per hour for what was read",
            zh="每小时因读码被拒",
            look=Look.STACK,
            queries=(hourly("beltkeeper_decisions_total", "reason", f'reason=~"{READING_REASONS}"'),),
            width=12,
        ),
        Panel(
            en="Readers and other devices: link up",
            zh="读码器与其他设备：已连接",
            look=Look.STATES,
            queries=(Query("beltkeeper_device_up{LINE}", "{{line}} {{device}}"),),
            width=12,
            off="down",
            on="up",
        ),
    ),
)

WEIGHING = Board(
    name="weighing",
    en="Weighing",
    zh="称重",
    panels=(
        Panel(
            en="Good weights of 15 min",
            zh="15 分钟有效称重占比",
            look=Look.FIGURE,
            queries=(
                Query(
                    share(
                        'beltkeeper_weights_total{LINE, quality="good"}',
                        "beltkeeper_weights_total{LINE}",
                        "15m",
                    )
                ),
            ),
            unit="percentunit",
            bad_below=0.95,
        ),
        Panel(
            en="Captures per hour by quality",
            zh="每小时称重，按质量",
            look=Look.STACK,
            queries=(hourly("beltkeeper_weights_total", "quality"),),
            width=16,
        ),
        Panel(
            en="Rejected per hour for their weight",
            zh="每小时因重量被拒",
            look=Look.STACK,
            queries=(hourly("beltkeeper_decisions_total", "reason", f'reason=~"{WEIGHING_REASONS}"'),),
            width=24,
        ),
    ),
)

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
            queries=(Query("changes(beltkeeper_parcels_inducted_created{LINE}[1h])", "{{line}}"),),
            width=12,
        ),
    ),
)

BOARDS: Final = (LINE, READING, WEIGHING, DEVICES, SYSTEM)

SPARE: Final = {
    r".*_created": "when a counter began: rate() sees a restart by itself",
    r"beltkeeper_\w+_seconds_(sum|count)": "mean of a histogram whose quantiles are shown",
}
"""Exported, but on no panel: full name as a pattern → why."""
