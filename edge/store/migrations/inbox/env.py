"""Alembic's entry for inbox.db: runs on the writer's own connection, inside its one transaction."""

from alembic import context

from edge.store.tables import inbox

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=inbox,
    transactional_ddl=False,
)
context.run_migrations()
