import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {Config} from '@oclif/core'
import {referenceFiles} from '../../packaging/reference/reference-files.js'
import {runCli} from '../helpers/run-cli.js'
import {PROJECT} from '../helpers/snapshot.js'
import {requireTool} from '../helpers/tools.js'

describe('pages made from the help of the commands', () => {
  let files: ReadonlyMap<string, string>
  const manPages = () => [...files.keys()].filter((name) => name.startsWith('man/'))

  before(async () => {
    files = referenceFiles(await Config.load(PROJECT))
  })

  it('are those in the checkout; npm run docs:reference makes them again', () => {
    for (const folder of ['docs/cli', 'man'])
      assert.deepEqual(
        readdirSync(path.join(PROJECT, folder))
          .map((name) => `${folder}/${name}`)
          .sort(),
        [...files.keys()].filter((name) => name.startsWith(`${folder}/`)).sort(),
      )
    for (const [name, text] of files) assert.equal(readFileSync(path.join(PROJECT, name), 'utf8'), text, name)
  })

  it('are shipped in the npm package', () => {
    const {files: shipped, directories} = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8')) as {
      files: string[]
      directories: {man: string}
    }
    for (const folder of ['docs', 'man']) assert.ok(shipped.includes(folder), folder)
    assert.equal(directories.man, 'man')
  })

  it('say what --help says of convert', async () => {
    const {stdout} = await runCli(['convert', '--help'])
    // Long examples are continued with a backslash.
    const flat = (text: string) => text.replaceAll(/ \\\n/g, '').replaceAll(/\s+/g, '')
    const help = flat(stdout.toString())
    const page = files.get('docs/cli/convert.md') ?? ''
    const names = [...page.matchAll(/^### `(?:-\w, )?(--[^ `]+)/gm)].map(([, name = '']) => name)
    assert.ok(names.length > 40, String(names.length))
    for (const name of names) assert.ok(help.includes(name), name)
    for (const [, command = ''] of page.matchAll(/```sh\n([^]*?)\n```/g))
      assert.ok(help.includes(flat(command)), command)
  })

  it('have no fault that groff finds', function () {
    requireTool(this, 'groff')
    for (const name of manPages()) {
      const {status, stderr} = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z', name], {
        cwd: PROJECT,
        encoding: 'utf8',
      })
      assert.deepEqual({status, stderr}, {status: 0, stderr: ''}, name)
    }
  })

  it('are shown by man at 80 columns, with every flag and example as it is typed', function () {
    requireTool(this, 'man')
    for (const command of ['convert', 'batch plan', 'list']) {
      const page = files.get(`docs/cli/${command.replaceAll(' ', '-')}.md`) ?? ''
      const {status, stdout, stderr} = spawnSync(
        'man',
        ['--warnings', '-l', `man/transship-${command.replaceAll(' ', '-')}.1`],
        {
          cwd: PROJECT,
          encoding: 'utf8',
          env: {...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANPAGER: 'cat', MAN_KEEP_FORMATTING: ''},
        },
      )
      assert.deepEqual({status, stderr}, {status: 0, stderr: ''})
      // Bold and underlined characters are overstruck where nothing shows them.
      // eslint-disable-next-line no-control-regex
      const shown = stdout.replaceAll(/.\u0008/g, '')
      for (const [, flag = ''] of page.matchAll(/^### `(?:-\w, )?(--[^ `]+)/gm)) assert.ok(shown.includes(flag), flag)
      for (const [, example = ''] of page.matchAll(/```sh\n([^]*?)\n```/g))
        assert.ok(shown.replaceAll(/\n\s*/g, '\n').includes(example.split('\n')[0] ?? ''), example)
    }
  })
})
