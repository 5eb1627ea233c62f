-- Creates the read-only role for Grafana. Run it in rlsweep's database as the tables' owner; it can be run again. Then set
-- the role's password: ALTER ROLE rlsweep_reader PASSWORD '…'.
do $$
begin
    if not exists (select from pg_roles where rolname = 'rlsweep_reader') then
        create role rlsweep_reader login;
    end if;
    execute format('grant connect on database %I to rlsweep_reader', current_database());
end
$$;

grant usage on schema public to rlsweep_reader;
grant select on all tables in schema public to rlsweep_reader;
alter default privileges in schema public grant select on tables to rlsweep_reader;  -- tables of later versions

-- A query over too much data is cancelled, so that it does not slow down training.
alter role rlsweep_reader set default_transaction_read_only = on;
alter role rlsweep_reader set statement_timeout = '30s';
