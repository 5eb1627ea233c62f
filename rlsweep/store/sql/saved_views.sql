-- name: lock_views
-- One change at a time, so that their number stays within its limit; reading goes on.
lock table saved_views in share row exclusive mode

-- name: list_views
-- All of them, in alphabetical order.
select id, name, page, query, version from saved_views order by lower(name)

-- name: get_view
-- One by its id.
select id, name, page, query, version from saved_views where id = %(id)s

-- name: insert_view
-- A new one.
insert into saved_views (id, name, page, query)
values (%(id)s, %(name)s, %(page)s, %(query)s)
returning id, name, page, query, version

-- name: rename_view
-- Give it another name.
update saved_views
set name = %(name)s, version = version + 1
where id = %(id)s
returning id, name, page, query, version

-- name: delete_view
-- Remove it.
delete from saved_views where id = %(id)s
