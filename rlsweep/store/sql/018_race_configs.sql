-- How many configs a race is to have, those that it draws while it runs included; null where it draws none.
alter table races add column configs integer;
