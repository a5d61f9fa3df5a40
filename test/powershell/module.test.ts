import assert from 'node:assert/strict'
import {readFile} from 'node:fs/promises'
import {createRequire} from 'node:module'
import path from 'node:path'
import {Config} from '@oclif/core'
import {Language, Parser, type Node} from 'web-tree-sitter'
import {PROJECT} from '../helpers/snapshot.js'

const MODULE = path.join(PROJECT, 'powershell', 'Transship')
const FUNCTIONS = [
  'Convert-ContainerPackage',
  'Get-ContainerPackage',
  'Test-ContainerPackage',
  'Get-ComputeContainer',
  'Stop-ComputeContainer',
]
/** Of PowerShell's approved verbs those that are used, and what it calls a private function of the module. */
const APPROVED = ['Convert', 'Get', 'Test', 'Stop', 'Invoke']

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

  for (const file of ['Transship.psm1', 'Transship.psd1'])
    it(`parses ${file} without a fault`, async () => {
      const root = parse(await readFile(path.join(MODULE, file), 'utf8'))
      const faults = root.descendantsOfType('ERROR').map((node) => `line ${node.startPosition.row + 1}: ${node.text}`)
      assert.deepEqual(faults, [])
      assert.ok(!root.hasError)
    })

  it('exports what it defines, under approved verbs', async () => {
    const root = parse(await readFile(path.join(MODULE, 'Transship.psm1'), 'utf8'))
    const defined = root.descendantsOfType('function_name').map((node) => node.text)
    assert.deepEqual(defined, ['Invoke-Transship', ...FUNCTIONS])
    for (const name of defined) assert.ok(APPROVED.includes(name.split('-')[0]!), name)
    const manifest = await readFile(path.join(MODULE, 'Transship.psd1'), 'utf8')
    const [, list = ''] = /FunctionsToExport\s*=\s*@\(([^)]*)\)/.exec(manifest) ?? []
    assert.deepEqual(
      [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name),
      FUNCTIONS,
    )
  })

  it('helps with a synopsis, every parameter, two examples and the outputs', async () => {
    const root = parse(await readFile(path.join(MODULE, 'Transship.psm1'), 'utf8'))
    for (const definition of root.descendantsOfType('function_statement')) {
      const text = definition.text
      const name = definition.descendantsOfType('function_name')[0]!.text
      if (!FUNCTIONS.includes(name)) continue
      const [, help = ''] = /<#([^]*?)#>/.exec(text) ?? []
      assert.match(help, /\.SYNOPSIS\n\s+\S/, name)
      assert.match(help, /\.OUTPUTS\n\s+\S/, name)
      assert.ok([...help.matchAll(/\.EXAMPLE\n/g)].length >= 2, `${name} has too few examples`)
      const parameters = definition
        .descendantsOfType('script_parameter')
        .map((node) => /\$(\w+)(?:\s*=[^]*)?$/.exec(node.text)?.[1])
      assert.ok(parameters.length > 0, name)
      const explained = [...help.matchAll(/\.PARAMETER (\w+)/g)].map(([, parameter]) => parameter)
      assert.deepEqual(explained.sort(), parameters.sort(), name)
    }
  })

  it('passes only options that the command line has', async () => {
    const config = await Config.load(PROJECT)
    const root = parse(await readFile(path.join(MODULE, 'Transship.psm1'), 'utf8'))
    const used: string[] = []
    for (const definition of root.descendantsOfType('function_statement')) {
      const code = definition.text.replace(/<#[^]*?#>/, '')
      const ids = [...code.matchAll(/@\('(convert|list|verify|containers)'(?:, '(list|stop|kill)')?/g)].map((match) =>
        match
          .slice(1)
          .filter((part: string | undefined) => part !== undefined)
          .join(':'),
      )
      if (ids.length === 0) continue
      const flags = ids.flatMap((id) => Object.keys(config.findCommand(id, {must: true}).flags))
      for (const [, flag = ''] of code.matchAll(/'--([a-z-]+)'/g))
        assert.ok(flags.includes(flag), `${ids.join()} --${flag}`)
      used.push(...ids)
    }
    assert.deepEqual(used, ['convert', 'list', 'verify', 'containers:list', 'containers:kill', 'containers:stop'])
  })
})
