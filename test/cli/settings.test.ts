import test from 'ava';
import { parseArguments } from '../../runtime/cli/arguments.ts';
import { helpText } from '../../runtime/cli/help.ts';
import { findMistypedVariables, readSettings, settings } from '../../runtime/cli/settings.ts';
import { ConfigErrorCode } from '../../runtime/config/errors.ts';

function read(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return readSettings(parseArguments(['start', ...words]).flags, environment);
}

/** For each setting: two right values, what they are read as, and a wrong one. */
const values = {
  address: { one: '127.0.0.1:1', other: '127.0.0.1:2', key: 'listeners', wrong: 'localhost' },
  port: { one: '1', other: '2', key: 'listeners', wrong: '65536' },
  'dev-tls': { one: 'true', other: '0', key: 'devTls', wrong: 'yes' },
  threads: { one: '1', other: '2-3', key: 'threads', wrong: 'many' },
  'drain-timeout': { one: '1s', other: '2s', key: 'drainTimeoutMs', wrong: '10' },
  'log-level': { one: 'debug', other: 'error', key: 'logLevel', wrong: 'loud' },
  'log-format': { one: 'json', other: 'text', key: 'logFormat', wrong: 'xml' },
} as const;

for (const setting of settings) {
  const { name } = setting;
  // They say what is done with the configuration, and nothing of what stands in it.
  if (name === 'config' || name === 'watch' || name === 'load' || name === 'effective' || name === 'pid')
    continue;
  const { one, other, key, wrong } = values[name];
  const given = (value: string) =>
    setting.placeholder === '' ? [`--${name}=${value}`] : [`--${name}`, value];
  test(`--${name} stands over ${setting.variables.join(' over ')}, and each is named by what it gives`, (t) => {
    const expected = read(given(one)).overrides[key];
    t.is(expected?.source, `--${name}`);
    for (const [index, variable] of setting.variables.entries()) {
      t.deepEqual(read(given(one), { [variable]: other }).overrides[key], expected);
      const fromVariable = read([], { [variable]: one }).overrides[key];
      t.deepEqual(fromVariable?.value, expected?.value);
      t.is(fromVariable?.source, variable);
      const next = setting.variables[index + 1];
      if (next !== undefined)
        t.is(read([], { [variable]: one, [next]: other }).overrides[key]?.source, variable);
      t.is(read([], { [variable]: '' }).overrides[key], undefined);
    }
    t.is(read([]).overrides[key], undefined);
  });

  test(`a wrong --${name} is an error that names the flag or the variable`, (t) => {
    for (const [source, result] of [
      [`--${name}`, read(given(wrong))],
      ...setting.variables.map((variable) => [variable, read([], { [variable]: wrong })] as const),
    ] as const) {
      t.deepEqual(
        result.problems.map(({ code, where, received }) => [code, where, received]),
        [[ConfigErrorCode.WrongValue, source, JSON.stringify(wrong)]],
      );
    }
  });
}

test('files are watched by --watch and by its variable, and never in production', (t) => {
  t.false(read([]).watch);
  t.true(read(['--watch']).watch);
  t.true(read([], { SLUICE_WATCH: '1' }).watch);
  t.false(read(['--watch=false'], { SLUICE_WATCH: '1', NODE_ENV: 'production' }).watch);
  for (const [where, result] of [
    ['--watch', read(['--watch'], { NODE_ENV: 'production' })],
    ['SLUICE_WATCH', read([], { SLUICE_WATCH: '1', NODE_ENV: 'production' })],
  ] as const) {
    t.like(result.problems, [{ code: ConfigErrorCode.Conflict, where }]);
  }
});

test('a switch takes no value from the next argument', (t) => {
  t.deepEqual(read(['--dev-tls', '--threads', '2']).overrides.devTls, { value: true, source: '--dev-tls' });
  t.is(read(['--dev-tls'], { SLUICE_DEV_TLS: '0' }).overrides.devTls?.value, true);
  t.is(read([], { SLUICE_DEV_TLS: '1' }).overrides.devTls?.value, true);
  t.is(parseArguments(['start', '--dev-tls', 'yes']).problems.length, 1);
});

test('the file is --config, or SLUICE_CONFIG, or runtime.config.json', (t) => {
  t.is(read([]).file, './runtime.config.json');
  t.is(read([], { SLUICE_CONFIG: 'a.json' }).file, 'a.json');
  t.is(read(['--config=b.json'], { SLUICE_CONFIG: 'a.json' }).file, 'b.json');
  t.is(read(['-c', 'c.json']).file, 'c.json');
});

test('addresses may be repeated and listed with commas', (t) => {
  const addresses = (words: readonly string[], environment = {}) =>
    read(words, environment).overrides.listeners?.value.map(({ address }) => address);
  t.deepEqual(addresses(['--address', '[::1]:1', '--address', 'localhost:2, localhost:3']), [
    '[::1]:1',
    'localhost:2',
    'localhost:3',
  ]);
  t.deepEqual(addresses([], { SLUICE_ADDRESS: 'localhost:2,localhost:3' }), ['localhost:2', 'localhost:3']);
});

test('--port is a port of the loopback address, over SLUICE_ADDRESS and never beside --address', (t) => {
  const [address] =
    read(['--port', '3000'], { SLUICE_ADDRESS: 'localhost:1' }).overrides.listeners?.value ?? [];
  t.like(address, { kind: 'tcp', host: '127.0.0.1', port: 3_000 });
  // Kubernetes sets it for a service named sluice.
  t.is(read([], { SLUICE_PORT: 'tcp://10.0.0.1:80' }).overrides.listeners, undefined);
  t.like(read(['--port', '1', '--address', 'localhost:1']).problems, [
    { code: ConfigErrorCode.Conflict, where: '--port' },
  ]);
  t.is(read(['--port', '[::1]:3000']).problems[0]?.hint, 'did you mean --address [::1]:3000?');
});

test('a module after a command replaces --config', (t) => {
  for (const command of ['start', 'check', 'reload', 'stop', 'ps', 'top', 'status']) {
    for (const module of ['app.ts', 'app.js', 'a/b.mjs', 'b.cts']) {
      const { flags, problems } = parseArguments([command, module, '--threads', '2']);
      t.deepEqual([problems, readSettings(flags, {}).file], [[], module]);
    }
  }
});

test('all wrong flags are reported at once', (t) => {
  const words = ['--threads', '0', '--address', 'a', '--address', 'b', '--log-level', 'infos'];
  t.deepEqual(
    read(words).problems.map(({ where, hint }) => [where, hint]),
    [
      ['--address', 'the port is missing'],
      ['--address', 'the port is missing'],
      ['--threads', undefined],
      ['--log-level', 'did you mean info?'],
    ],
  );
});

const wrongWords: readonly [
  words: readonly string[],
  code: ConfigErrorCode,
  where: string,
  hint: string | undefined,
][] = [
  [[], ConfigErrorCode.UnknownCommand, 'command', undefined],
  [['strat'], ConfigErrorCode.UnknownCommand, 'command', 'did you mean start?'],
  [['toString'], ConfigErrorCode.UnknownCommand, 'command', undefined],
  [['start', 'app.json'], ConfigErrorCode.UnknownCommand, 'command', 'did you mean --config app.json?'],
  [['app.js'], ConfigErrorCode.UnknownCommand, 'command', 'did you mean start app.js?'],
  [
    ['start', 'app'],
    ConfigErrorCode.UnknownCommand,
    'command',
    'a module is a file such as app.js, app.mjs or app.ts; flags start with "--"',
  ],
  [['start', 'a.ts', 'b.ts'], ConfigErrorCode.UnknownCommand, 'command', 'flags start with "--"'],
  [['start', 'a.ts', '--config', 'a.json'], ConfigErrorCode.Conflict, 'command', undefined],
  [['start', '--adress', 'x'], ConfigErrorCode.UnknownFlag, '--adress', 'did you mean --address?'],
  [['start', '-x'], ConfigErrorCode.UnknownFlag, '-x', undefined],
  [['start', '--toString'], ConfigErrorCode.UnknownFlag, '--toString', undefined],
  [['start', '--threads'], ConfigErrorCode.WrongValue, '--threads', undefined],
  [['start', '--threads='], ConfigErrorCode.WrongValue, '--threads', undefined],
  [['start', '--config', '--threads'], ConfigErrorCode.WrongValue, '--config', undefined],
  [['start', '--threads', '1', '--threads', '2'], ConfigErrorCode.Conflict, '--threads', undefined],
];
for (const [words, code, where, hint] of wrongWords) {
  test(`the command line ${JSON.stringify(words)} is refused`, (t) => {
    const [problem] = parseArguments(words).problems;
    t.like(problem, { code, where });
    t.is(problem.hint, hint);
  });
}

test('help and version are commands and flags, and work with other invalid arguments', (t) => {
  for (const words of [
    ['help'],
    ['--help'],
    ['-h'],
    ['start', '--help'],
    ['help', 'start'],
    ['nonsense', '--nonsense', '-h'],
  ]) {
    t.like(parseArguments(words), { command: 'help', problems: [] }, words.join(' '));
  }
  for (const words of [['version'], ['--version'], ['-v']]) t.is(parseArguments(words).command, 'version');
});

test('the help names every flag, every variable and every exit code', (t) => {
  const help = helpText();
  for (const { name, variables } of settings) {
    for (const word of [`--${name}`, ...variables]) t.true(help.includes(word), word);
  }
  for (const code of [0, 1, 2, 3]) t.regex(help, new RegExp(`^  ${code}  `, 'm'));
});

test('a variable that looks mistyped is warned of, and those that others set are not', (t) => {
  t.deepEqual(findMistypedVariables({ SLUICE_ADRESS: 'x', SLUICE_LOGLEVEL: 'x' }), [
    'the variable SLUICE_ADRESS is not read; did you mean SLUICE_ADDRESS?',
    'the variable SLUICE_LOGLEVEL is not read; did you mean SLUICE_LOG_LEVEL?',
  ]);
  const kubernetes = {
    SLUICE_SERVICE_HOST: '10.0.0.1',
    SLUICE_PORT: 'tcp://10.0.0.1:80',
    SLUICE_PORT_80_TCP_ADDR: 'x',
  };
  t.deepEqual(findMistypedVariables({ ...kubernetes, SLUICE_THREADS: '2', ADDRESS: 'x' }), []);
});
