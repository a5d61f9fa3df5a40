import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {cpSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {text} from 'node:stream/consumers'
import {PWSH, requirePowerShell} from '../../helpers/powershell.js'
import {MAIN} from '../../helpers/run-cli.js'
import {PROJECT} from '../../helpers/snapshot.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

const PROMPT = 'READY> '

/** Asked for a completion, transship itself; otherwise a print of the arguments as the shell gives them. */
const PROGRAM = `#!/bin/sh
if [ "$1" = completion ]; then exec "$REAL_NODE" "$REAL_MAIN" "$@"; fi
printf '{{'
for word; do printf '[%s]' "$word"; done
printf '}}\\n'
`

/** What is typed, with a tab for the key, and the arguments that the command gets. */
const LINES: readonly {readonly typed: string; readonly got: readonly string[]; readonly note: string}[] = [
  {typed: 'transship conv\ta b', got: ['convert', 'a', 'b'], note: 'a command'},
  {typed: 'transship containers li\t', got: ['containers', 'list'], note: 'a command of two words'},
  {typed: 'transship list sho\t', got: ['list', 'shop.tar'], note: 'a bare file'},
  {
    typed: 'transship list docker-archive:sho\t',
    got: ['list', 'docker-archive:shop.tar'],
    note: 'a file of a transport',
  },
  {
    typed: 'transship inspect docker-archive:shop.tar:con\t',
    got: ['inspect', 'docker-archive:shop.tar:contoso/shop:1.2.0'],
    note: 'a tag in an archive',
  },
  {
    typed: 'transship inspect inbox:repository:CN=Contoso_S\t',
    got: ['inspect', 'inbox:repository:CN=Contoso_Shop_1.2.0.0'],
    note: 'a package of a repository',
  },
  {
    typed: 'transship convert shop.tar inbox:repos\t --layers ch\t',
    got: ['convert', 'shop.tar', 'inbox:repository/', '--layers', 'chain'],
    note: 'a folder, and the value of a flag',
  },
  {
    typed: 'transship list --columns=name,ver\t shop.tar',
    got: ['list', '--columns=name,version', 'shop.tar'],
    note: 'a value behind =, the second of a list',
  },
  {typed: 'transship verify --verb\t', got: ['verify', '--verbose'], note: 'a flag'},
  {
    typed: 'transship list docker-archive:with\t',
    got: ['list', 'docker-archive:with space & $.tar'],
    note: 'odd names',
  },
]

describe('completion in a shell', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const bin = () => path.join(folder.path, 'bin')

  before(() => {
    cpSync('samples/shop.tar', path.join(folder.path, 'shop.tar'))
    cpSync('samples/shop.tar', path.join(folder.path, 'with space & $.tar'))
    cpSync('samples/repository', path.join(folder.path, 'repository'), {recursive: true})
    mkdirSync(bin())
    writeFileSync(path.join(bin(), 'transship'), PROGRAM, {mode: 0o755})
  })

  /** Types the lines; the arguments that each gave. */
  async function typeInto(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const {NODE_ENV: _, CI: __, ...inherited} = process.env
    const want = {argv, prompt: PROMPT, lines: LINES.map(({typed}) => typed), timeoutSeconds: 60}
    const script = path.join(PROJECT, 'test', 'helpers', 'shell-terminal.py')
    const child = spawn('python3', [script, JSON.stringify(want)], {
      cwd: folder.path,
      env: {
        ...inherited,
        TERM: 'xterm',
        LC_ALL: 'C.UTF-8',
        HOME: folder.path,
        PATH: `${bin()}${path.delimiter}${process.env['PATH'] ?? ''}`,
        REAL_NODE: process.execPath,
        REAL_MAIN: MAIN,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    assert.equal(child.exitCode, 0, err)
    return JSON.parse(out) as readonly string[]
  }

  function assertLines(answers: readonly string[]): void {
    for (const [index, {got, note}] of LINES.entries())
      assert.equal(answers[index], got.map((word) => `[${word}]`).join(''), note)
  }

  it('works in bash', async function () {
    requireTool(this, 'bash')
    requireTool(this, 'python3')
    const profile = path.join(folder.path, 'bashrc')
    writeFileSync(profile, `PS1='${PROMPT}'\neval "$(transship completion bash)"\n`)
    assertLines(await typeInto(['bash', '--noprofile', '--rcfile', profile, '-i'], {}))
  })

  it('works in zsh', async function () {
    requireTool(this, 'zsh')
    requireTool(this, 'python3')
    writeFileSync(
      path.join(folder.path, '.zshrc'),
      `PS1='${PROMPT}'\nunsetopt PROMPT_SP PROMPT_CR\nautoload -Uz compinit\ncompinit -u -D\neval "$(transship completion zsh)"\n`,
    )
    assertLines(await typeInto(['zsh', '-o', 'no_global_rcs', '-i'], {ZDOTDIR: folder.path}))
  })

  it('works in fish', async function () {
    requireTool(this, 'fish')
    requireTool(this, 'python3')
    const setup = `function fish_prompt; printf '${PROMPT}'; end; function fish_right_prompt; end; set -g fish_greeting; set -g fish_autosuggestion_enabled 0; transship completion fish | source`
    assertLines(await typeInto(['fish', '--no-config', '-i', '-C', setup], {}))
  })

  it('works in PowerShell', function () {
    requirePowerShell(this)
    // PowerShell on Linux completes what is on PATH by the same name; it is asked as its line editor asks.
    const script = `
      Set-Location '${folder.path}'
      & transship completion powershell | Out-String | Invoke-Expression
      foreach ($line in (ConvertFrom-Json $env:LINES)) {
        $found = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)
        $match = $found.CompletionMatches[0]
        $full = if ($match) { $line.Substring(0, $found.ReplacementIndex) + $match.CompletionText } else { $line }
        'RESULT' + (Invoke-Expression $full)
      }`
    const lines = LINES.flatMap(({typed, ...rest}) => {
      const pieces = typed.split('\t').slice(0, -1)
      // One key each; what is typed behind a key is not what is completed.
      return pieces.length === 1 && typed.endsWith('\t') ? [{...rest, typed: pieces.join('')}] : []
    })
    assert.ok(lines.length >= 7)
    const output = runTool(PWSH, ['-NoProfile', '-NonInteractive', '-Command', script], {
      env: {
        ...process.env,
        LINES: JSON.stringify(lines.map(({typed}) => typed)),
        PATH: `${bin()}${path.delimiter}${process.env['PATH'] ?? ''}`,
        REAL_NODE: process.execPath,
        REAL_MAIN: MAIN,
        NO_COLOR: '1',
      },
    })
    const answers = [...output.matchAll(/^RESULT\{\{(.*)\}\}/gm)].map(([, answer]) => answer)
    for (const [index, {got, note}] of lines.entries())
      assert.equal(answers[index], got.map((word) => `[${word}]`).join(''), `${note}: ${output}`)
  })
})
