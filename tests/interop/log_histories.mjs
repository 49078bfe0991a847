// What log_reader.mjs makes of histories (tests/ledger/histories), in the form of their `expected`.
//
//   node log_histories.mjs HISTORY...     one line of JSON for each file

import {readFileSync} from 'node:fs';
import {readLog} from './log_reader.mjs';

const LISTED_MAX = 64;

const listed = (positions) => positions.slice(0, LISTED_MAX);
function statusOf({waits, history}) {
  if (waits) return waits.entry.n < history.length ? 'contested' : 'pending';
  return history.at(-1).entry.op === 'deactivate' ? 'deactivated' : 'normal';
}
function outcome(log) {
  const {history, replaced, vetoed} = log;
  if (history.length === 0) {
    return {status: log.refused ? 'refused' : 'not_found', n: 0,
            junk: [], replaced: [], vetoed: [], evidence: []};
  }
  return {status: statusOf(log), n: history.at(-1).entry.n, replaced, vetoed,
          evidence: listed(log.evidence), junk: listed(log.junk)};
}

for (const file of process.argv.slice(2)) {
  console.log(JSON.stringify(outcome(readLog(JSON.parse(readFileSync(file, 'utf8'))))));
}
