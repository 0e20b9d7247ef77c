-- What a benchmark's present content is to be scored with and this installation does not have. While anything stands
-- here the benchmark is shown and takes no submissions.
alter table benchmarks add column missing_instruments text[] not null default '{}';
