-- The role that Grafana works as: it reads rlsweep's tables and changes nothing. Run it in rlsweep's database as the
-- tables' owner; running it again does no harm. The role has no password yet: ALTER ROLE rlsweep_reader PASSWORD '…'.
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

-- For whoever chooses too much: a query that is too slow for a dashboard ends, and the training goes on.
alter role rlsweep_reader set default_transaction_read_only = on;
alter role rlsweep_reader set statement_timeout = '30s';
