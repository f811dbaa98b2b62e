import test from 'ava';
import { ReceivedFields } from '../../workers/fields/received.ts';
import { allowsRange, evaluatePreconditions, type Verdict } from '../../workers/static/preconditions.ts';
import type { Validators } from '../../workers/static/validators.ts';

const NOW = Date.UTC(2026, 10, 22);
const date = 'Sun, 01 Nov 2026 10:00:00 GMT';
const before = 'Sun, 01 Nov 2026 09:59:59 GMT';
const after = 'Sun, 01 Nov 2026 10:00:01 GMT';
const modifiedSeconds = Date.UTC(2026, 10, 1, 10) / 1000;
const strong: Validators = { etag: '"a"', modifiedSeconds, isStable: true };
const weak: Validators = { etag: 'W/"a"', modifiedSeconds, isStable: false };
const tagless: Validators = { etag: null, modifiedSeconds, isStable: true };
const dateless: Validators = { etag: '"a"', modifiedSeconds: null, isStable: true };

type Case = readonly [
  section: string,
  says: string,
  validators: Validators,
  fields: readonly string[],
  verdict: Verdict,
];

const cases: readonly Case[] = [
  ['13.1.1', 'If-Match with the tag proceeds', strong, ['if-match', '"a"'], 'proceed'],
  ['13.1.1', 'If-Match with another tag fails', strong, ['if-match', '"b"'], 'failed'],
  ['13.1.1', 'If-Match with the tag in a list proceeds', strong, ['if-match', '"b" , "a"'], 'proceed'],
  ['13.1.1', 'If-Match in two fields is one list', strong, ['if-match', '"b"', 'if-match', '"a"'], 'proceed'],
  ['13.1.1', 'If-Match * proceeds for a file that is there', tagless, ['if-match', '*'], 'proceed'],
  ['13.1.1', 'If-Match compares strongly: a weak tag never matches', weak, ['if-match', 'W/"a"'], 'failed'],
  ['13.1.1', 'If-Match with a weak tag fails against a strong one', strong, ['if-match', 'W/"a"'], 'failed'],
  ['13.1.1', 'If-Match with what is no tag fails', strong, ['if-match', 'a'], 'failed'],
  ['13.1.2', 'If-None-Match with the tag is not modified', strong, ['if-none-match', '"a"'], 'not-modified'],
  ['13.1.2', 'If-None-Match with another tag proceeds', strong, ['if-none-match', '"b"'], 'proceed'],
  ['13.1.2', 'If-None-Match compares weakly', strong, ['if-none-match', '"b", W/"a"'], 'not-modified'],
  ['13.1.2', 'If-None-Match weakly, the other way round', weak, ['if-none-match', '"a"'], 'not-modified'],
  ['13.1.2', 'If-None-Match * is not modified', tagless, ['if-none-match', '*'], 'not-modified'],
  ['13.1.2', 'empty list members are passed over', strong, ['if-none-match', ', ,"b",,"a"'], 'not-modified'],
  ['8.8.3', 'a comma within quotes belongs to the tag', strong, ['if-none-match', '"x,"a""'], 'proceed'],
  [
    '13.1.2',
    'what follows a tag without a comma is not read',
    strong,
    ['if-none-match', '"b""a"'],
    'proceed',
  ],
  [
    '13.1.3',
    'If-Modified-Since with the date is not modified',
    strong,
    ['if-modified-since', date],
    'not-modified',
  ],
  ['13.1.3', 'If-Modified-Since later is not modified', strong, ['if-modified-since', after], 'not-modified'],
  ['13.1.3', 'If-Modified-Since earlier proceeds', strong, ['if-modified-since', before], 'proceed'],
  [
    '13.1.3',
    'If-Modified-Since that is no date is ignored',
    strong,
    ['if-modified-since', '2030'],
    'proceed',
  ],
  [
    '13.1.3',
    'If-Modified-Since twice is ignored',
    strong,
    ['if-modified-since', date, 'if-modified-since', date],
    'proceed',
  ],
  ['13.1.3', 'If-Modified-Since is ignored without a date', dateless, ['if-modified-since', date], 'proceed'],
  [
    '13.1.3',
    'If-Modified-Since is ignored beside If-None-Match',
    strong,
    ['if-none-match', '"b"', 'if-modified-since', after],
    'proceed',
  ],
  ['13.1.4', 'If-Unmodified-Since with the date proceeds', strong, ['if-unmodified-since', date], 'proceed'],
  ['13.1.4', 'If-Unmodified-Since earlier fails', strong, ['if-unmodified-since', before], 'failed'],
  [
    '13.1.4',
    'If-Unmodified-Since that is no date is ignored',
    strong,
    ['if-unmodified-since', 'x'],
    'proceed',
  ],
  [
    '13.1.4',
    'If-Unmodified-Since is ignored beside If-Match',
    strong,
    ['if-match', '"a"', 'if-unmodified-since', before],
    'proceed',
  ],
  [
    '13.2.2',
    'If-Match is judged before If-None-Match',
    strong,
    ['if-none-match', '"a"', 'if-match', '"b"'],
    'failed',
  ],
  [
    '13.2.2',
    'If-Unmodified-Since is judged before If-None-Match',
    strong,
    ['if-none-match', '"a"', 'if-unmodified-since', before],
    'failed',
  ],
  [
    '13.2.2',
    'a true If-Match goes on to If-None-Match',
    strong,
    ['if-match', '"a"', 'if-none-match', '"a"'],
    'not-modified',
  ],
];

for (const [section, says, validators, fields, verdict] of cases) {
  test(`RFC 9110 ${section}: ${says}`, (t) => {
    t.is(evaluatePreconditions(new ReceivedFields(fields), validators, NOW), verdict);
  });
}

const ranges: readonly (readonly [
  says: string,
  validators: Validators,
  values: readonly string[],
  boolean,
])[] = [
  ['without If-Range a range is answered', weak, [], true],
  ['the strong tag lets a range be answered', strong, ['"a"'], true],
  ['another tag does not', strong, ['"b"'], false],
  ['a weak tag does not, not even the same one', weak, ['W/"a"'], false],
  ['a list of tags does not', strong, ['"a", "a"'], false],
  ['the exact date does', strong, [date], true],
  ['an earlier date does not', strong, [before], false],
  ['a later date does not: it is no comparison', strong, [after], false],
  ['the date of a file that has only just been written does not', weak, [date], false],
  ['without a tag to compare a tag does not', tagless, ['"a"'], false],
  ['anything else does not', strong, ['a'], false],
  ['two fields do not', strong, ['"a"', '"a"'], false],
];

for (const [says, validators, values, allowed] of ranges) {
  test(`RFC 9110 13.1.5: ${says}`, (t) => {
    const fields = new ReceivedFields(values.flatMap((value) => ['if-range', value]));
    t.is(allowsRange(fields, validators, NOW), allowed);
  });
}
