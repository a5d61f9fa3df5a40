import {EXITS, type CommandPage} from './command-page.js'

/** What a page of the manual says at its top and foot. */
export interface ManOptions {
  readonly version: string
}

/** Text of one line or more, none of which troff takes for a request. Source: groff(7), man(7). */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replaceAll(
      /[^\0-\u007f]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replaceAll(/^\./gm, '\\&.')
}

/** Prose: what stands between backquotes is bold. */
function prose(text: string): string {
  return text
    .split(/`([^`]*)`/)
    .map((part, index) => (index % 2 === 1 ? `\\fB${escape(part)}\\fR` : escape(part)))
    .join('')
}

function heading(slug: string, {version}: ManOptions): string {
  return `.\\" Made from the help of the commands by npm run docs:reference.\n.TH ${escape(slug.toUpperCase())} 1 "" "transship ${escape(version)}" "User Commands"`
}

function exits(): readonly string[] {
  return ['.SH EXIT STATUS', ...EXITS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, prose(meaning)])]
}

/** The manual page of one command. */
export function renderMan(page: CommandPage, pages: readonly CommandPage[], options: ManOptions): string {
  const {name, slug, summary, description, usage, args, flags, examples} = page
  const lines = [
    heading(slug, options),
    '.SH NAME',
    `${escape(slug)} \\- ${prose(summary.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${escape(usage)}`,
    '.SH DESCRIPTION',
    ...description.flatMap((paragraph, index) =>
      paragraph === '' ? [] : [...(index === 0 ? [] : ['.PP']), prose(paragraph)],
    ),
    ...(args.length === 0 ? [] : ['.SH ARGUMENTS']),
    ...args.flatMap(({name: arg, text}) => ['.TP', `.I ${escape(arg)}`, prose(text)]),
    ...flags.flatMap(({title, flags: entries}) => [
      `.SH ${title === 'Flags' ? 'OPTIONS' : escape(title.toUpperCase().replace('FLAGS', 'OPTIONS'))}`,
      ...entries.flatMap(({synopsis, text, variables}) => [
        '.TP',
        `.B ${escape(synopsis)}`,
        prose(text.join(' ')),
        ...(variables.length === 0 ? [] : ['.br', `Environment: ${variables.map((each) => escape(each)).join(', ')}.`]),
      ]),
    ]),
    ...(examples.length === 0 ? [] : ['.SH EXAMPLES']),
    ...examples.flatMap(({description: text, command}, index) => [
      ...(index === 0 ? [] : ['.PP']),
      ...(text === '' ? [] : [prose(text)]),
      '.PP',
      '.RS 4',
      '.EX',
      escape(command),
      '.EE',
      '.RE',
    ]),
    ...exits(),
    '.SH SEE ALSO',
    seeAlso(['transship', ...relatives(name, pages)]),
  ]
  return `${lines.join('\n')}\n`
}

/** Commands of the same topic; for one without a topic, those that read the same things. */
function relatives(name: string, pages: readonly CommandPage[]): readonly string[] {
  const [topic] = name.split(' ')
  return pages.filter((page) => page.name !== name && page.name.split(' ')[0] === topic).map(({slug}) => slug)
}

function seeAlso(slugs: readonly string[]): string {
  return slugs.map((slug, index) => `.BR ${escape(slug)} (1)${index < slugs.length - 1 ? ',' : ''}`).join('\n')
}

export interface ManOverview extends ManOptions {
  readonly description: string
  readonly transports: readonly {readonly name: string; readonly grammar: string}[]
}

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  [
    'TRANSSHIP_FLAG',
    'Default of a flag: TRANSSHIP_TLS_VERIFY is --tls-verify. `transship config` lists those in force.',
  ],
  ['TRANSSHIP_CONFIG', 'Another configuration file; an empty value turns it off.'],
  ['TRANSSHIP_DEBUG', 'File for a log to send to support, like --debug.'],
  ['SOURCE_DATE_EPOCH', 'Time for what has none in the source, in seconds since 1970.'],
  ['NO_COLOR', 'Turns off colour.'],
  ['DOCKER_CONFIG, REGISTRY_AUTH_FILE', 'Logins to image registries.'],
  ['DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CERT_PATH', 'The engine of docker-daemon references.'],
  ['CONTAINERD_ADDRESS, CONTAINERD_NAMESPACE', 'The socket and namespace of containerd references.'],
  ['HTTPS_PROXY, HTTP_PROXY, NO_PROXY', 'Proxies on the way to image registries.'],
]

/** The page of the program itself: `man transship`. */
export function renderManOverview(pages: readonly CommandPage[], options: ManOverview): string {
  const {description, transports} = options
  const lines = [
    heading('transship', options),
    '.SH NAME',
    `transship \\- ${prose(description.split(':')[0] ?? '')}`,
    '.SH SYNOPSIS',
    '.B transship',
    '.I COMMAND',
    '[ARGUMENTS] [FLAGS]',
    '.SH DESCRIPTION',
    prose(description),
    '.PP',
    prose('Every command has a page of its own, and `transship COMMAND --help` shows the same text.'),
    '.SH COMMANDS',
    ...pages.flatMap(({slug, summary}) => ['.TP', `.BR ${escape(slug)} (1)`, prose(summary)]),
    '.SH REFERENCES',
    prose(
      'A reference names a place: TRANSPORT:LOCATION. An argument without a transport is a path, recognised by its content.',
    ),
    ...transports.flatMap(({name, grammar}) => ['.TP', `.B ${escape(name)}`, escape(`${name}:${grammar}`)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => ['.TP', `.B ${escape(name)}`, prose(meaning)]),
    '.SH FILES',
    '.TP',
    `.I ${escape('$XDG_CONFIG_HOME/transship/config.yaml, ~/.config/transship/config.yaml')}`,
    'Defaults of flags.',
    ...exits(),
    '.SH SEE ALSO',
    seeAlso(pages.map(({slug}) => slug)),
  ]
  return `${lines.join('\n')}\n`
}
