import {EXITS, type CommandPage} from './command-page.js'

const NOTICE = '<!-- Made from the help of the commands by `npm run docs:reference`. -->'

/** Text of help in Markdown: nothing in it is markup, except code between backquotes. */
function plain(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith('`')
        ? part
        : part
            .replaceAll('&', '&amp;')
            .replaceAll('<', '&lt;')
            .replaceAll('{{', '&#123;&#123;')
            .replaceAll(/[*_\\|[\]]/g, (mark) => `\\${mark}`),
    )
    .join('')
}

/** The page of one command. */
export function renderMarkdown(page: CommandPage): string {
  const {name, summary, description, usage, args, flags, examples} = page
  const lines = [
    NOTICE,
    '',
    `# transship ${name}`,
    '',
    plain(summary),
    '',
    '```',
    usage,
    '```',
    '',
    ...description.flatMap((paragraph) => (paragraph === '' ? [] : [plain(paragraph), ''])),
    ...section(
      'Examples',
      examples.flatMap(({description: text, command}) => [
        ...(text === '' ? [] : [plain(text), '']),
        '```sh',
        command,
        '```',
        '',
      ]),
    ),
    ...section(
      'Arguments',
      args.flatMap(({name: arg, text}) => [`- \`${arg}\`: ${plain(text)}`]),
      true,
    ),
    ...flags.flatMap(({title, flags: entries}) =>
      section(
        title,
        entries.flatMap(({synopsis, text, variables}) => [
          `### \`${synopsis}\``,
          '',
          [
            ...text.map(plain),
            variables.length === 0 ? '' : `Environment: ${variables.map((each) => `\`${each}\``).join(', ')}.`,
          ]
            .filter(Boolean)
            .join(' '),
          '',
        ]),
      ),
    ),
    ...section(
      'Exit codes',
      EXITS.map(([code, meaning]) => `- ${code}: ${plain(meaning)}`),
      true,
    ),
    'Every error has a stable code: see [Errors](../errors.md). Defaults of flags: see [Command line](../command-line.md).',
  ]
  return `${lines.join('\n')}\n`
}

function section(title: string, lines: readonly string[], isList = false): readonly string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines, ...(isList ? [''] : [])]
}

/** The table of all commands. */
export function renderIndex(pages: readonly CommandPage[]): string {
  const rows = pages.map(
    ({name, slug, summary}) => `| [\`${name}\`](${slug.replace('transship-', '')}.md) | ${plain(summary)} |`,
  )
  return `${[
    NOTICE,
    '',
    '# Commands',
    '',
    'These pages have the same text as `transship COMMAND --help` and as the manual pages, such as `man transship-convert`.',
    '',
    '| Command | Does |',
    '|---|---|',
    ...rows,
  ].join('\n')}\n`
}
