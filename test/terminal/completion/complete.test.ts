import assert from 'node:assert/strict'
import {cpSync, mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {Config} from '@oclif/core'
import fc from 'fast-check'
import {TRANSPORTS} from '../../../src/transports/catalog.js'
import {readQuestion} from '../../../src/terminal/completion/answer-shell.js'
import {formatContainers} from '../../../src/terminal/containers-text.js'
import {TransshipError} from '../../../src/model/errors.js'
import {complete} from '../../../src/terminal/completion/complete.js'
import {COLUMNS} from '../../../src/terminal/completion/option-values.js'
import {splitLine} from '../../../src/terminal/completion/split-line.js'
import {FUZZ_RUNS} from '../../helpers/fuzz.js'
import {runCli} from '../../helpers/run-cli.js'
import {PROJECT} from '../../helpers/snapshot.js'
import {temporaryFolder} from '../../helpers/temporary-folder.js'
import {requireTool, runTool} from '../../helpers/tools.js'

describe('completion', () => {
  const folder = temporaryFolder()
  let config: Config
  const home = process.cwd()

  before(async () => {
    config = await Config.load(PROJECT)
    cpSync('samples/repository', path.join(folder.path, 'repository'), {recursive: true})
    cpSync('samples/shop.tar', path.join(folder.path, 'shop.tar'))
    mkdirSync(path.join(folder.path, 'folder'))
    for (const name of ['.hidden', 'folder/inner.tar', 'broken.tar']) writeFileSync(path.join(folder.path, name), 'x')
    process.chdir(folder.path)
  })
  after(() => {
    process.chdir(home)
  })

  const texts = async (...words: readonly string[]) => (await complete(words, config)).map(({text}) => text)

  for (const {words, want, note} of [
    {words: ['con'], want: ['config', 'containers', 'convert'], note: 'commands and topics'},
    {words: ['containers', ''], want: ['kill', 'list', 'stop'], note: 'the commands of a topic'},
    {words: ['batch', 'p'], want: ['plan'], note: 'a command that is a topic as well'},
    {words: ['nosuch', ''], want: [], note: 'nothing for what is no command'},
    {words: ['--v'], want: ['--version'], note: 'flags of the program'},
    {
      words: ['list', ''],
      want: [...transports('list'), 'broken.tar', 'folder/', 'repository/', 'shop.tar'],
      note: 'all places',
    },
    {words: ['convert', 'shop.tar', 'wi'], want: [], note: 'no destination that can only be read'},
    {words: ['convert', 'wi'], want: ['wim:'], note: 'but a source'},
    {words: ['list', 'oci:'], want: ['oci:folder/', 'oci:repository/'], note: 'folders only for a folder'},
    {words: ['list', 'docker-archive:folder/'], want: ['docker-archive:folder/inner.tar'], note: 'inside of a folder'},
    {words: ['list', 'docker-archive:.'], want: ['docker-archive:.hidden'], note: 'hidden files when asked for'},
    {words: ['list', 'docker-archive:broken.tar:'], want: [], note: 'nothing of a file that cannot be read'},
    {words: ['list', 'docker://localhost:1/'], want: [], note: 'an image registry is not asked'},
    {
      words: ['list', 'inbox:repository/:CN=Contoso_W'],
      want: ['inbox:repository/:CN=Contoso_WebServer_1.0.0.0'],
      note: 'a package',
    },
    {words: ['verify', '--platform', 'win'], want: ['windows/amd64', 'windows/arm64'], note: 'well-known values'},
    {words: ['convert', '--pins', ''], want: ['keep', 'reproduce', 'none'], note: 'listed values'},
    {words: ['convert', '--pins=r'], want: ['--pins=reproduce'], note: 'listed values behind ='},
    {words: ['convert', '--base', 'inb'], want: ['inbox:'], note: 'references as values'},
    {words: ['doctor', '--clean', ''], want: ['folder/', 'repository/'], note: 'folders as values'},
    {words: ['batch', 'br'], want: ['broken.tar'], note: 'a plan'},
    {words: ['list', '--sort', '-si'], want: ['-size'], note: 'a column, descending'},
    {words: ['list', '--columns', 'name,na'], want: [], note: 'no column twice'},
    {words: ['list', '--columns', 'size', '--sor'], want: ['--sort'], note: 'a flag behind a value'},
    {words: ['list', '--columns', 'size', '--jso'], want: [], note: 'no flag that another one excludes'},
    {words: ['list', '--quiet', '--qui'], want: [], note: 'no flag twice'},
    {words: ['convert', '--bas'], want: ['--base'], note: 'a flag'},
    {words: ['convert', '--base', 'x', '--bas'], want: ['--base'], note: 'but one that can be repeated'},
    {words: ['list', '--', '--qui'], want: [], note: 'no flags behind --'},
    {words: ['list', 'shop.tar', 'sho'], want: [], note: 'nothing behind the last argument'},
    {words: ['hive', 'shop.tar', 'HKLM\\SO'], want: ['HKLM\\SOFTWARE'], note: 'a hive'},
    {words: ['completion', 'f'], want: ['fish'], note: 'a shell'},
  ])
    it(`of '${words.join(' ')}' gives ${note}`, async () => {
      assert.deepEqual(await texts(...words), want)
    })

  function transports(_: string): readonly string[] {
    return [
      'docker-archive:',
      'oci-archive:',
      'oci:',
      'docker://',
      'docker-daemon:',
      'containerd:',
      'inbox:',
      'appx:',
      'layout:',
      'runtime:',
      'wim:',
    ]
  }

  it('knows every transport', async () => {
    const known = (await texts('list', ''))
      .filter((text) => /^[a-z-]+:/.test(text))
      .map((text) => text.replace(/:.*/, ''))
    assert.deepEqual(known.sort(), TRANSPORTS.map(({name}) => name).sort())
  })

  it('knows the columns of every table that has a choice of them', async () => {
    const choosing = config.commands.filter(({flags}) => Object.hasOwn(flags, 'columns')).map(({id}) => id)
    assert.deepEqual(Object.keys(COLUMNS).sort(), choosing.map((id) => id.replaceAll(':', ' ')).sort())
    const {list, files, 'containers list': containers} = COLUMNS
    for (const [command, columns] of Object.entries({list, files})) {
      const args = [command, 'docker-archive:shop.tar', '--columns', 'nosuch']
      const {stderr} = await runCli(args, {cwd: folder.path})
      const [, told = ''] = /The columns are ([^.]*)\./.exec(stderr.replaceAll(/\s+/g, ' ')) ?? []
      assert.deepEqual(columns, told.split(', '))
    }
    const row = {id: 'a', state: 'running', os: 'windows', seenBy: []}
    const report = {containers: [row], managers: []} as unknown as Parameters<typeof formatContainers>[0]
    assert.throws(
      () => formatContainers(report, {columns: ['nosuch']}),
      (error) => error instanceof TransshipError && error.why === `The columns are ${containers?.join(', ') ?? ''}.`,
    )
  })

  it('answers nothing but candidates, whatever is asked', async () => {
    for (const words of [
      [],
      ['fish'],
      ['nosuch', '--', 'x'],
      ['fish', '--', 'list', '--help'],
      ['bash', '--', "transship 'x"],
    ]) {
      const {code, stderr} = await runCli(['completion', 'words', ...words], {cwd: folder.path})
      assert.deepEqual({code, stderr}, {code: 0, stderr: ''}, words.join(' '))
    }
  })

  for (const {line, words, quote, kept, note} of [
    {line: 'transship ', words: ['transship', ''], quote: '', kept: 0, note: 'a new word'},
    {line: 'transship list a:b', words: ['transship', 'list', 'a:b'], quote: '', kept: 2, note: 'a break inside'},
    {line: 'transship "a b', words: ['transship', 'a b'], quote: '"', kept: 0, note: 'an open quote'},
    {line: "transship x:'a b", words: ['transship', 'x:a b'], quote: "'", kept: 2, note: 'a quote inside'},
    {line: 'transship a\\ b', words: ['transship', 'a b'], quote: '', kept: 0, note: 'a backslash'},
    {line: 'sudo x; transship l', words: ['transship', 'l'], quote: '', kept: 0, note: 'the command at the cursor'},
  ])
    it(`splits a line of bash: ${note}`, () => {
      assert.deepEqual(splitLine(line), {words, quote, kept})
    })

  it('splits and quotes words as bash does', function () {
    requireTool(this, 'bash')
    const word = fc.stringMatching(/^[ -~]{1,12}$/)
    fc.assert(
      fc.property(word, (name) => {
        const [typed = ''] = readQuestion('bash', ['transship ']).answer([{text: name, isWhole: true}])
        assert.equal(runTool('bash', ['-c', `printf '%s|' ${typed}`]), `${name}|`)
        assert.deepEqual(splitLine(`transship ${typed.slice(0, -1)}`).words, ['transship', name])
      }),
      {numRuns: Math.ceil(FUZZ_RUNS / 10)},
    )
  })
})
