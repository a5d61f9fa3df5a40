import assert from 'node:assert/strict'
import {readEntries, recipeOf} from '../../../src/formats/package/package-entries.js'
import type {StoredPackage} from '../../../src/formats/package/repository.js'

const DIFF_ID = `sha256:${'ab'.repeat(32)}`
const DIGEST = `sha256:${'cd'.repeat(32)}`

function recipeIn(layers: readonly object[] | undefined) {
  const docker = layers === undefined ? {} : {docker: {Layers: layers}}
  return recipeOf(docker as unknown as StoredPackage)
}

describe('the recipe of a package', () => {
  for (const [note, layer, expected] of [
    ['with its digest', {DiffID: DIFF_ID, Recipe: 'docker/recipe-0.gz', RecipeDigest: DIGEST}, {digest: DIGEST}],
    ['without its digest', {DiffID: DIFF_ID, Recipe: 'docker/recipe-0.gz'}, {}],
    ['with a digest that is none', {DiffID: DIFF_ID, Recipe: 'docker/recipe-0.gz', RecipeDigest: 'abc'}, {}],
  ] as const)
    it(`is known ${note}`, () => {
      assert.deepEqual(recipeIn([layer]), {diffId: DIFF_ID, file: 'docker/recipe-0.gz', ...expected})
    })

  for (const [note, layers] of [
    ['no image', undefined],
    ['no layers', []],
    ['no recipe', [{DiffID: DIFF_ID}]],
    ['a digest of the layer that is none', [{DiffID: 'abc', Recipe: 'docker/recipe-0.gz'}]],
  ] as const)
    it(`is none where metadata.json has ${note}`, () => {
      assert.equal(recipeIn(layers), undefined)
    })
})

describe('the entries of a stub', () => {
  it('are refused by its full name', async () => {
    const stub = {
      payload: {Kind: 'none'},
      metadata: {identity: {publisher: 'CN=Contoso', name: 'Base', version: '1.0.0.0'}},
    } as unknown as StoredPackage
    await assert.rejects(readEntries(stub, {}).next(), (error: {code?: string; message?: string}) => {
      assert.equal(error.code, 'LAYER_MISSING')
      assert.match(error.message ?? '', /CN=Contoso_Base_1\.0\.0\.0 is a stub/)
      return true
    })
  })
})
