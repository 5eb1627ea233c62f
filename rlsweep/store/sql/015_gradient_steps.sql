-- The optimizer steps of an update: fewer than n_epochs gives where target_kl ended it; null where an older version
-- recorded the update.
alter table updates add column gradient_steps integer;
