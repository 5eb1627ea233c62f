-- What a sweep's trials ask of Ray, so that whoever goes on with it asks for the same, and where it was sent to be
-- driven: the address of a cluster's Jobs API, or null where a machine drives it by itself.
alter table sweeps add column resources jsonb;
alter table sweeps add column address text;
