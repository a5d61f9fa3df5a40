import assert from 'node:assert/strict'
import {clientConfigText} from '../../../src/codecs/json/client-config.js'
import {
  parseDocument,
  parseJson,
  requireDocumentSize,
  type ParseOptions,
} from '../../../src/codecs/json/json-document.js'
import {compileSchema, errorsText} from '../../../src/codecs/json/validator.js'
import {InputError} from '../../../src/model/errors.js'
import {faultOf} from '../../helpers/faults.js'

const MIB = 2 ** 20
const anything = compileSchema<unknown>({})
const parse = (text: string | Uint8Array, options: Partial<ParseOptions<unknown>> = {}) =>
  parseDocument(Buffer.from(text as string), {
    title: 'a document',
    validate: anything,
    code: 'MANIFEST_INVALID',
    ...options,
  })

describe('a JSON document from outside', () => {
  for (const [note, text, value] of [
    ['an object', '{"a":[1,null,"x"]}', {a: [1, null, 'x']}],
    ['null', 'null', null],
    ['without a key that could poison a merge', '{"__proto__":{"a":1},"b":{"__proto__":2,"c":3}}', {b: {c: 3}}],
    ['a byte order mark in front', '\ufeff{"a":1}', {a: 1}],
  ] as const)
    it(`is read: ${note}`, () => {
      const found = parse(text)
      assert.deepEqual(found, value)
      assert.deepEqual(Object.keys(Object(found) as object), Object.keys(Object(value) as object))
    })

  for (const [note, text] of [
    ['no JSON', '{a:1}'],
    ['nothing', ''],
    ['more behind', '{} {}'],
    ['no UTF-8', Buffer.from('{"a":"\xff"}', 'latin1')],
  ] as const)
    it(`is refused with the caller's code and its own name: ${note}`, () => {
      for (const code of ['MANIFEST_INVALID', 'CONFIG_INVALID'] as const)
        assert.deepEqual(
          faultOf(() => parse(text, {code})),
          {code, at: {path: 'a document'}},
        )
    })

  for (const [isSecret, tells] of [
    [undefined, true],
    [false, true],
    [true, false],
  ] as const)
    it(`is ${tells ? '' : 'not '}quoted in what is told of it${isSecret === undefined ? '' : ` where it is ${isSecret ? '' : 'not '}secret`}`, () => {
      assert.throws(
        () => parse('{"password":hunter2}', isSecret === undefined ? {} : {isSecret}),
        (error) => error instanceof InputError && (error.cause !== undefined) === tells,
      )
    })

  const schema = compileSchema<{readonly size: number}>({
    type: 'object',
    required: ['size'],
    properties: {size: {type: 'number'}},
  })
  it('is held against its schema, which takes unknown keys', () => {
    assert.deepEqual(parse('{"size":1,"more":2}', {validate: schema}), {size: 1, more: 2})
    for (const text of ['{}', '{"size":"1"}', '[]', 'null'])
      assert.deepEqual(
        faultOf(() => parse(text, {validate: schema, code: 'CONFIG_INVALID'})),
        {code: 'CONFIG_INVALID', at: {path: 'a document'}},
      )
  })

  it('is refused with what it broke, each time anew', () => {
    const why = (text: string) => {
      try {
        parse(text, {validate: schema})
      } catch (error) {
        return error instanceof InputError ? error.why : undefined
      }
      return 'nothing'
    }
    assert.deepEqual(
      [why('{"size":"1"}'), why('{"size":1}'), why('[]')],
      ['it/size must be number', 'nothing', 'it must be object'],
    )
  })

  for (const [note, keys, text, value] of [
    [
      'of the list, at any depth',
      ['Layers', 'Config'],
      '{"layers":[{"CONFIG":1}],"cOnFiG":2}',
      {Layers: [{Config: 1}], Config: 2},
    ],
    ['no other key', ['Layers'], '{"config":1,"LAYERS":2}', {config: 1, Layers: 2}],
    ['none where none is listed', [], '{"layers":1}', {layers: 1}],
    ['no value', ['Layers'], '["layers",{"a":"layers"}]', ['layers', {a: 'layers'}]],
    ['null beside it', ['a'], '{"A":null}', {a: null}],
  ] as const)
    it(`may have keys in any case: ${note}`, () => {
      assert.deepEqual(parse(text, {keysInAnyCase: keys}), value)
    })

  it('may have just 20 MiB', () => {
    requireDocumentSize(20 * MIB, 'it')
    assert.deepEqual(
      faultOf(() => {
        requireDocumentSize(20 * MIB + 1, 'it')
      }),
      {code: 'LIMIT_EXCEEDED', at: {path: 'it'}},
    )
    assert.deepEqual(
      faultOf(() => parse(Buffer.alloc(20 * MIB + 1))),
      {code: 'LIMIT_EXCEEDED', at: {path: 'a document'}},
    )
  })

  it('is read without a schema, and without the key that poisons', () => {
    assert.deepEqual(Object.keys(parseJson('{"__proto__":1,"A":{"b":2}}') as object), ['A'])
    assert.throws(() => parseJson('{'), SyntaxError)
  })
})

describe('a schema', () => {
  it('tells what a value broke, and nothing of the one before', () => {
    const validate = compileSchema<string>({type: 'string', minLength: 2})
    assert.equal(errorsText(validate, 'it'), 'No errors')
    assert.equal(validate(1), false)
    assert.deepEqual([validate.errors?.length, errorsText(validate, 'the name')], [1, 'the name must be string'])
    assert.equal(validate('ab'), true)
    assert.equal(validate.errors, null)
    assert.equal(validate('a'), false)
    assert.ok(errorsText(validate, 'it').startsWith('it must NOT have fewer than 2'))
  })

  it('may allow several types', () => {
    const validate = compileSchema<unknown>({type: ['string', 'number']})
    assert.deepEqual(
      ['a', 1, null].map((value) => validate(value)),
      [true, true, false],
    )
  })
})

describe("the configuration of Docker's client", () => {
  for (const [text, expected] of [
    ['', '{}'],
    [' \n\t', '{}'],
    ['null', '{}'],
    [' null\n', '{}'],
    ['\ufeff', '{}'],
    ['\ufeffnull', '{}'],
    ['\ufeff{"a":1}', '{"a":1}'],
    ['{"a":null}', '{"a":null}'],
    [' {} ', ' {} '],
    ['nullable', 'nullable'],
    ['null null', 'null null'],
    ['a\ufeff', 'a\ufeff'],
    ['{}null', '{}null'],
  ] as const)
    it(`is ${JSON.stringify(expected)} in ${JSON.stringify(text)}`, () => {
      assert.equal(clientConfigText(text), expected)
    })
})
