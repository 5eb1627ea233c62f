-- The search space that a sweep's configs were drawn from, as a file has it; null where none were drawn. The configs
-- themselves, the base first, are those of its runs. It is json, which keeps the order of keys: names have it.
alter table sweeps add column space json;
