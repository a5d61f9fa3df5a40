import assert from 'node:assert/strict'
import {readdir, readFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import path from 'node:path'
import {Config} from '@oclif/core'
import {Language, Parser, type Node} from 'web-tree-sitter'
import {PROJECT} from '../helpers/snapshot.js'

const MODULE = path.join(PROJECT, 'powershell', 'Transship')
/** Public: one file for each cmdlet, named after it. Private: what they share. */
const FOLDERS = ['.', 'Private', 'Public']

/** Every script of the module, by its path in it. */
async function scripts(): Promise<readonly {readonly file: string; readonly text: string}[]> {
  const files: {file: string; text: string}[] = []
  for (const folder of FOLDERS)
    for (const name of (await readdir(path.join(MODULE, folder))).sort())
      if (/\.ps[md]?1$/.test(name)) {
        const file = path.join(folder, name)
        files.push({file, text: await readFile(path.join(MODULE, file), 'utf8')})
      }
  return files
}

/** The names in a list of PowerShell, @('A' 'B'). */
function namesIn(text: string, start: string): readonly string[] {
  const [, list = ''] = /@\(([^)]*)\)/.exec(text.slice(text.indexOf(start))) ?? []
  return [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name ?? '')
}

describe('PowerShell module', () => {
  let parse: (text: string) => Node

  before(async () => {
    await Parser.init()
    const grammar = createRequire(import.meta.url).resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')
    const parser = new Parser()
    parser.setLanguage(await Language.load(grammar))
    parse = (text) => {
      const tree = parser.parse(text)
      assert.ok(tree)
      return tree.rootNode
    }
  })

  it('has a grammar in its tests that finds faults', () => {
    assert.ok(parse('function Get-One { param( }').hasError)
    assert.ok(!parse("function Get-One { 'one' }").hasError)
  })

  it('parses without a fault', async () => {
    for (const {file, text} of await scripts()) {
      const root = parse(text)
      const faults = root.descendantsOfType('ERROR').map((node) => `line ${node.startPosition.row + 1}: ${node.text}`)
      assert.deepEqual(faults, [], file)
      assert.ok(!root.hasError, file)
    }
  })

  it('exports a cmdlet for each file in Public, from the manifest as from the module', async () => {
    const cmdlets = (await readdir(path.join(MODULE, 'Public'))).map((name) => path.basename(name, '.ps1')).sort()
    for (const [file, start] of [
      ['Transship.psd1', 'FunctionsToExport'],
      ['Transship.psm1', 'Export-ModuleMember'],
    ] as const)
      assert.deepEqual([...namesIn(await readFile(path.join(MODULE, file), 'utf8'), start)].sort(), cmdlets)
    for (const name of cmdlets) {
      const root = parse(await readFile(path.join(MODULE, 'Public', `${name}.ps1`), 'utf8'))
      assert.equal(root.descendantsOfType('function_name')[0]?.text, name)
    }
  })

  it('passes only options that the command line has', async () => {
    const config = await Config.load(PROJECT)
    const shared = await readFile(path.join(MODULE, 'Private', 'Get-OptionArgument.ps1'), 'utf8')
    const used = new Set<string>()
    for (const {file, text} of await scripts()) {
      const ids = [...text.matchAll(/@\('([a-z]+)'(?:, '([a-z]+)')?/g)]
        .map(([, command, sub]) => (sub === undefined ? command : `${command}:${sub}`))
        .filter((id) => id !== undefined && config.findCommand(id) !== undefined) as string[]
      if (ids.length === 0) continue
      const flags = ids.flatMap((id) => Object.entries(config.findCommand(id, {must: true}).flags))
      const known = new Set(
        flags.flatMap(([name, flag]) => ('allowNo' in flag && flag.allowNo ? [name, `no-${name}`] : [name])),
      )
      const code = text.replaceAll(/<#[^]*?#>/g, '') + (text.includes('$script:ReadingOptions') ? shared : '')
      for (const [, flag = ''] of code.matchAll(/'--([a-z-]+)'/g))
        assert.ok(known.has(flag) || flag === 'json', `${file}: ${ids.join()} --${flag}`)
      for (const id of ids) used.add(id)
    }
    assert.deepEqual([...used].sort(), [
      'batch',
      'batch:plan',
      'containers:kill',
      'containers:list',
      'containers:stop',
      'convert',
      'diff',
      'files',
      'hive',
      'layout:export',
      'layout:import',
      'list',
      'verify',
    ])
  })
})
