import assert from 'node:assert/strict'
import fc from 'fast-check'
import {stringify} from 'yaml'
import {parsePlan} from '../../src/batch/parse-plan.js'
import {TransshipError} from '../../src/model/errors.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

const parse = (text: string, environment = {}) => parsePlan(text, {name: 'plan.yaml', environment})

const ITEM = '  - source: inbox:a\n    destination: inbox:b\n'

describe('parse plan', () => {
  it('reads YAML and JSON alike, fills in defaults and merges options one by one', () => {
    const yaml = `defaults:
  destination: inbox:out
  options: {layers: chain, strict: true}
items:
  - source: docker-archive:a.tar
    include: web*
  - id: other
    source: docker-archive:b.tar
    destination: oci:b
    options: {layers: squash}
`
    const json = JSON.stringify({
      defaults: {destination: 'inbox:out', options: {layers: 'chain', strict: true}},
      items: [
        {source: 'docker-archive:a.tar', include: 'web*'},
        {id: 'other', source: 'docker-archive:b.tar', destination: 'oci:b', options: {layers: 'squash'}},
      ],
    })
    const {items} = parse(yaml)
    assert.deepEqual(parse(json).items, items)
    const plain = {include: [], exclude: [], after: []}
    assert.deepEqual(items, [
      {
        ...plain,
        index: 0,
        source: 'docker-archive:a.tar',
        destination: 'inbox:out',
        include: ['web*'],
        options: {layers: 'chain', strict: true},
      },
      {
        ...plain,
        index: 1,
        id: 'other',
        source: 'docker-archive:b.tar',
        destination: 'oci:b',
        options: {layers: 'squash', strict: true},
      },
    ])
  })

  it('replaces variables in all texts, and takes the default for one that is empty or not set', () => {
    const text = 'items:\n  - {source: "inbox:${A}", destination: "inbox:${B:-two}/${C:-three}/$$"}\n'
    const [item] = parse(text, {A: 'one', C: ''}).items
    assert.deepEqual([item?.source, item?.destination], ['inbox:one', 'inbox:two/three/$'])
  })

  it('takes SOURCE_DATE_EPOCH for the option of that name, as convert does', () => {
    const text = `items:\n${ITEM}${ITEM}    options: {source-date-epoch: 1}\n`
    const epochs = parse(text, {SOURCE_DATE_EPOCH: '86400'}).items.map(({options}) => options['source-date-epoch'])
    assert.deepEqual(epochs, [86_400, 1])
    assert.deepEqual(parse(text, {SOURCE_DATE_EPOCH: ''}).items[0]?.options, {})
    assert.throws(() => parse(text, {SOURCE_DATE_EPOCH: 'now'}), {code: 'BAD_OPTION', exitCode: 2})
  })

  it('takes nothing but own variables for variables', () => {
    assert.throws(() => parse('items:\n  - {source: "inbox:${constructor}", destination: "inbox:b"}\n'), /constructor/)
  })

  for (const {text, place, says, suggests, note} of [
    {text: 'items: [', place: '1:9', says: /not valid YAML/, note: 'a bracket that does not close'},
    {text: 'items:\n  - source: a\n    source: b\n', place: '3:5', says: /unique/, note: 'a key twice'},
    {text: '', place: '1:1', says: /'The value'|The value/, note: 'an empty file'},
    {text: 'items: []\n', place: '1:1', says: /'items' is not valid/, note: 'no items'},
    {text: `items:\n${ITEM}tiems: 1\n`, place: '4:1', says: /'tiems'/, suggests: /'items'/, note: 'an unknown key'},
    {
      text: 'items:\n  - source: inbox:a\n    destinaton: inbox:b\n',
      place: '3:5',
      says: /'destinaton'/,
      suggests: /'destination'/,
      note: 'a misspelt key of an item',
    },
    {
      text: `items:\n${ITEM}    options:\n      layer: chain\n`,
      place: '5:7',
      says: /'layer'/,
      suggests: /'layers'/,
      note: 'a misspelt option',
    },
    {text: `items:\n${ITEM}    options: {layers: flat}\n`, place: '4:15', says: /'layers'/, note: 'a wrong value'},
    {
      text: `items:\n${ITEM}    options: {archive-format: hibrid}\n`,
      place: '4:15',
      says: /'archive-format'/,
      suggests: /'hybrid'/,
      note: 'a misspelt value',
    },
    {text: `items:\n${ITEM}    options: {tag: 1}\n`, place: '4:15', says: /'tag'/, note: 'neither text nor list'},
    {text: 'items:\n  - destination: inbox:b\n', place: '2:5', says: /'source' is missing/, note: 'no source'},
    {text: 'items:\n  - source: inbox:b\n', place: '2:5', says: /no destination/, note: 'no destination anywhere'},
    {
      text: 'items:\n  - source: inbox:${HOEM}\n    destination: inbox:b\n',
      place: '2:5',
      says: /HOEM/,
      suggests: /'HOME'/,
      note: 'a variable that is not set',
    },
    {
      text: 'items:\n  - source: inbox:${HO ME}\n    destination: inbox:b\n',
      place: '2:5',
      says: /not a variable/,
      note: 'what looks like a variable and is none',
    },
    {
      text: `items:\n${ITEM}    id: one\n${ITEM}    id: one\n`,
      place: '7:5',
      says: /Two items have the id 'one'/,
      note: 'an id twice',
    },
    {
      text: `items:\n${ITEM}    id: first\n${ITEM}    after: [frist]\n`,
      place: '7:13',
      says: /'frist'/,
      suggests: /'first'/,
      note: 'an id that there is not',
    },
    {text: 'items:\n  - &a [*a]\n', place: '2:', says: /./, note: 'an alias to itself'},
  ]) {
    it(`refuses ${note}, with line and column`, () => {
      assert.throws(
        () => parse(text, {HOME: '/root'}),
        (error: unknown) => {
          assert.ok(error instanceof TransshipError, String(error))
          assert.deepEqual([error.code, error.exitCode], ['PLAN_INVALID', 2])
          assert.ok(error.at.path?.startsWith(`plan.yaml:${place}`), `at ${String(error.at.path)}`)
          assert.match(error.what, says)
          if (suggests !== undefined) assert.match(error.suggestions.join(' '), suggests)
          return true
        },
      )
    })
  }

  it('tells all faults at once, the first in full', () => {
    const text = `items:\n${ITEM}    a: 1\n${ITEM}    b: 1\n`
    assert.throws(() => parse(text), {
      what: "'a' is not a known key here.",
      message: /plan\.yaml:7:5: 'b' is not a known key here\./,
    })
  })

  it('refuses an alias bomb', () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
    for (let index = 1; index < 9; index++) {
      const before = `*a${index - 1}`
      lines.push(`a${index}: &a${index} [${Array.from({length: 9}, () => before).join(',')}]`)
    }
    assert.throws(() => parse(lines.join('\n')), {code: 'PLAN_INVALID'})
  })

  it('refuses any text and any value as a plan, or reads it, and throws nothing else', () => {
    const check = (text: string) => {
      try {
        parse(text)
      } catch (error) {
        assert.ok(error instanceof TransshipError, String(error))
      }
    }
    fc.assert(fc.property(fc.string({unit: 'grapheme'}), check), {numRuns: FUZZ_RUNS})
    const values = fc.record({items: fc.array(fc.object({maxDepth: 2})), defaults: fc.anything()})
    fc.assert(
      fc.property(values, (value) => {
        check(stringify(JSON.parse(JSON.stringify(value))))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })
})
