"""Alembic's entry for gateway.db: runs on the writer's own connection, inside its one transaction."""

from alembic import context

from edge.store.tables import gateway

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=gateway,
    transactional_ddl=False,
)
context.run_migrations()
