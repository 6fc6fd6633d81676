/**
 * One commit in one round trip. It first locks every session that it touches and looks whether each stands where the writer believed;
 * if not, or if an event's id is known already, it writes nothing and tells what it found. Otherwise it writes all of it. Where it was
 * sent twice it is written once.
 *
 * Whatever locks, locks in this order, so that nobody waits for one who waits for them: the row of the writer, the turn, the journal, the
 * sessions by their ids.
 *
 * sessions_: JSON array, sorted by session_id, of {id, epoch, seq, last, updated_at, origin}. epoch: which history the writer believes in,
 * null where it believes that there is none, and then origin (JSON of SessionOrigin) and new_epoch are those of the one to be made.
 * seq: where it believes it to stand; last: where it stands afterwards.
 * place_, seq_, id_, type_, at_, chars_, json_: the events; place_ counts sessions_ from 1. looks_: whether any id may be known already.
 */
export const functions = `
-- Such a session takes no events. Most have no such word, and are not looked into.
CREATE OR REPLACE FUNCTION is_imported(origin_ text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT strpos(origin_, '"imported"') > 0 AND origin_::jsonb ? 'imported'
$$;

-- Begins a commit of a writer, behind any that it has sent before over a connection that was cut. Whether it was kept already.
CREATE OR REPLACE FUNCTION was_kept(writer_ text, number_ bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
BEGIN
  SELECT commit INTO last FROM writers WHERE writer = writer_ FOR UPDATE;
  IF NOT FOUND THEN
    -- It is new, or another process has cleared up after it, as nothing was heard of it for long.
    INSERT INTO writers VALUES (writer_, number_ - 1, now()) ON CONFLICT DO NOTHING;
    SELECT commit INTO last FROM writers WHERE writer = writer_ FOR UPDATE;
  END IF;
  RETURN last >= number_;
END $$;

-- Who commits to these sessions waits here for those that came before and hold them. The locks of rows alone go to whoever comes at the
-- right moment, so that one who waits for them may wait for ever.
CREATE OR REPLACE FUNCTION take_turn(ids_ text[], holds_ boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  lane integer;
BEGIN
  FOR lane IN SELECT DISTINCT hashtext(id) & 63 FROM unnest(ids_) AS given(id) ORDER BY 1 LOOP
    IF holds_ THEN
      PERFORM pg_advisory_xact_lock(hashtext(current_schema()), lane);
    ELSE
      PERFORM pg_advisory_xact_lock_shared(hashtext(current_schema()), lane);
    END IF;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION head_of(found_ sessions) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN found_.key IS NULL THEN NULL
    ELSE jsonb_build_object('epoch', found_.epoch, 'seq', found_.seq, 'imported', is_imported(found_.origin)) END
$$;

-- Begins a commit, and holds the journal and these sessions until its transaction ends: where they stand, in the order given.
CREATE OR REPLACE FUNCTION lock_sessions(writer_ text, number_ bigint, ids_ text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  journal_ journal%ROWTYPE; heads jsonb;
BEGIN
  IF was_kept(writer_, number_) THEN
    RETURN NULL;
  END IF;
  PERFORM take_turn(ids_, true);
  SELECT * INTO journal_ FROM journal FOR UPDATE;
  PERFORM FROM sessions WHERE session_id = ANY(ids_) ORDER BY session_id FOR UPDATE;
  SELECT jsonb_agg(head_of(session) ORDER BY place) INTO heads
  FROM unnest(ids_) WITH ORDINALITY AS asked(id, place) LEFT JOIN sessions session ON session.session_id = asked.id;
  RETURN jsonb_build_object('heads', heads, 'known', '[]'::jsonb, 'deletions', journal_.deletions, 'sessions', journal_.sessions);
END $$;

CREATE OR REPLACE FUNCTION commit_group(
  writer_ text, number_ bigint, sessions_ jsonb, looks_ boolean, deletions_ integer, channel_ text, notes_ text[],
  place_ integer[], seq_ bigint[], id_ bytea[], type_ text[], at_ text[], chars_ integer[], json_ text[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  wanted jsonb; found_ sessions%ROWTYPE; journal_ journal%ROWTYPE;
  keys bigint[] := '{}'; heads jsonb := '[]'; known jsonb; is_as_believed boolean := true; made integer := 0; made_key bigint; note text;
BEGIN
  IF was_kept(writer_, number_) THEN
    RETURN NULL;
  END IF;
  PERFORM take_turn(ARRAY(SELECT value->>'id' FROM jsonb_array_elements(sessions_)), false);
  IF jsonb_path_exists(sessions_, '$[*] ? (@.epoch == null)') THEN
    SELECT * INTO journal_ FROM journal FOR UPDATE;
    is_as_believed := journal_.deletions = deletions_;
  END IF;
  FOR wanted IN SELECT value FROM jsonb_array_elements(sessions_) LOOP
    SELECT * INTO found_ FROM sessions WHERE session_id = wanted->>'id' FOR UPDATE;
    keys := array_append(keys, found_.key);
    heads := heads || jsonb_build_array(head_of(found_));
    IF found_.epoch IS DISTINCT FROM wanted->>'epoch' OR (found_.key IS NOT NULL AND found_.seq <> (wanted->>'seq')::bigint)
      OR is_imported(found_.origin) THEN
      is_as_believed := false;
    END IF;
  END LOOP;
  IF looks_ THEN
    SELECT jsonb_agg(jsonb_build_array(given.place, event.seq, event.json)) INTO known
    FROM unnest(place_, id_) AS given(place, id) JOIN events event ON event.session = keys[given.place] AND event.id = given.id
    WHERE given.id IS NOT NULL;
  END IF;
  IF NOT is_as_believed OR known IS NOT NULL THEN
    SELECT * INTO journal_ FROM journal;
    RETURN jsonb_build_object(
      'heads', heads, 'known', coalesce(known, '[]'), 'deletions', journal_.deletions, 'sessions', journal_.sessions);
  END IF;
  FOR nth IN 1 .. jsonb_array_length(sessions_) LOOP
    wanted := sessions_->(nth - 1);
    IF keys[nth] IS NULL THEN
      INSERT INTO sessions (session_id, epoch, seq, origin, updated_at, writer)
      VALUES (wanted->>'id', wanted->>'new_epoch', (wanted->>'last')::bigint, wanted->>'origin', wanted->>'updated_at', writer_)
      RETURNING key INTO made_key;
      keys[nth] := made_key;
      made := made + 1;
    ELSE
      UPDATE sessions
      SET seq = (wanted->>'last')::bigint, updated_at = wanted->>'updated_at', touched_at = clock_timestamp(), writer = writer_
      WHERE key = keys[nth];
    END IF;
  END LOOP;
  INSERT INTO events (session, seq, id, type, at, chars, json)
  SELECT keys[place], seq, id, type, at, chars, json
  FROM unnest(place_, seq_, id_, type_, at_, chars_, json_) AS given(place, seq, id, type, at, chars, json);
  IF made > 0 THEN
    UPDATE journal SET sessions = sessions + made;
  END IF;
  UPDATE writers SET commit = number_, at = now() WHERE writer = writer_;
  FOREACH note IN ARRAY notes_ LOOP
    PERFORM pg_notify(channel_, note);
  END LOOP;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION delete_session(writer_ text, number_ bigint, session_ text, channel_ text, note_ text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  gone bigint;
BEGIN
  IF was_kept(writer_, number_) THEN
    RETURN true;
  END IF;
  PERFORM FROM journal FOR UPDATE;
  UPDATE sessions SET session_id = NULL, touched_at = clock_timestamp() WHERE session_id = session_ RETURNING key INTO gone;
  UPDATE writers SET commit = number_, at = now() WHERE writer = writer_;
  IF gone IS NULL THEN
    RETURN false;
  END IF;
  DELETE FROM snapshots WHERE session = gone;
  DELETE FROM cursors WHERE session = gone;
  DELETE FROM bases WHERE session = gone;
  UPDATE journal SET sessions = sessions - 1, deletions = deletions + 1;
  PERFORM pg_notify(channel_, note_);
  RETURN true;
END $$;

-- From here on the history begins behind a state. Gives the key of the session, also where just that was done before; else nothing.
CREATE OR REPLACE FUNCTION cut_session(
  session_ text, epoch_ text, seq_ bigint, version_ integer, json_ text, channel_ text, note_ text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  found_ sessions%ROWTYPE;
BEGIN
  SELECT * INTO found_ FROM sessions WHERE session_id = session_ AND epoch = epoch_ FOR UPDATE;
  IF found_.key IS NULL OR seq_ < found_.cut OR seq_ > found_.seq THEN
    RETURN NULL;
  END IF;
  IF seq_ > found_.cut THEN
    UPDATE sessions SET cut = seq_, touched_at = clock_timestamp() WHERE key = found_.key;
    INSERT INTO bases VALUES (found_.key, seq_, version_, json_)
    ON CONFLICT (session) DO UPDATE SET seq = seq_, version = version_, json = json_;
    DELETE FROM snapshots WHERE session = found_.key AND seq < seq_;
    PERFORM pg_notify(channel_, note_);
  END IF;
  RETURN found_.key;
END $$;

-- Gives a session that was imported its name. Asked again, it says the same.
CREATE OR REPLACE FUNCTION finish_import(
  key_ bigint, session_ text, seq_ bigint, updated_at_ text, most_ integer, channel_ text, note_ text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found_ sessions%ROWTYPE; kept_ bigint := (SELECT count(*) FROM events WHERE session = key_);
BEGIN
  PERFORM FROM journal FOR UPDATE;
  SELECT * INTO found_ FROM sessions WHERE key = key_ FOR UPDATE;
  IF found_.session_id = session_ THEN
    RETURN 'done';
  ELSIF found_.key IS NULL OR found_.session_id IS NOT NULL OR kept_ <> seq_ THEN
    RETURN 'gone';
  ELSIF EXISTS (SELECT FROM sessions WHERE session_id = session_) THEN
    RETURN 'exists';
  ELSIF (SELECT sessions FROM journal) >= most_ THEN
    RETURN 'full';
  END IF;
  UPDATE sessions SET session_id = session_, seq = seq_, updated_at = updated_at_, touched_at = clock_timestamp() WHERE key = key_;
  UPDATE journal SET sessions = sessions + 1;
  PERFORM pg_notify(channel_, note_);
  RETURN 'done';
END $$;

-- Keeps the newest snapshot of one version, and the rungs of the ladder before it: snapshot-ladder.ts.
CREATE OR REPLACE FUNCTION save_snapshot(session_ text, epoch_ text, version_ integer, seq_ bigint, json_ text, apart_ integer, share_ integer)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  key_ bigint; newest snapshots%ROWTYPE;
BEGIN
  SELECT key INTO key_ FROM sessions WHERE session_id = session_ AND epoch = epoch_ AND cut <= seq_;
  IF key_ IS NULL THEN
    RETURN;
  END IF;
  -- One at a time, without holding up whoever writes to the session.
  PERFORM pg_advisory_xact_lock(hashtextextended('snapshot', key_));
  DELETE FROM snapshots WHERE session = key_ AND version <> version_;
  SELECT * INTO newest FROM snapshots WHERE session = key_ ORDER BY seq DESC LIMIT 1;
  IF newest.seq IS NULL OR newest.seq < seq_ THEN
    IF newest.seq IS NOT NULL AND NOT is_rung(key_, newest.seq, length(newest.json), apart_, share_) THEN
      DELETE FROM snapshots WHERE session = key_ AND seq = newest.seq;
    END IF;
    INSERT INTO snapshots VALUES (key_, seq_, version_, json_);
  ELSIF newest.seq > seq_ AND is_rung(key_, seq_, length(json_), apart_, share_) THEN
    INSERT INTO snapshots VALUES (key_, seq_, version_, json_) ON CONFLICT DO NOTHING;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION is_rung(key_ bigint, seq_ bigint, chars_ integer, apart_ integer, share_ integer)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  last bigint := coalesce((SELECT max(seq) FROM snapshots WHERE session = key_ AND seq < seq_), 0);
BEGIN
  RETURN seq_ - last >= apart_
    AND chars_ * share_ <= (SELECT coalesce(sum(chars), 0) FROM events WHERE session = key_ AND seq > last AND seq <= seq_);
END $$;
`;
