import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/*
 * The one-way import rule: commands -> terminal -> report -> batch -> convert -> transports -> engine-api -> codecs ->
 * model; runtime stands beside transports. A later folder never imports an earlier one; skipping forward is fine.
 */
const RANKS = [
  ['commands'],
  ['src/terminal'],
  ['src/report'],
  ['src/batch'],
  ['src/convert'],
  ['src/transports', 'src/runtime'],
  ['src/engine-api'],
  ['src/codecs'],
  ['src/model'],
]

function forbidden(message, patterns) {
  return {
    'no-restricted-imports': [
      'error',
      {patterns: [{regex: patterns.map((pattern) => `(?:${pattern})`).join('|'), message}]},
    ],
  }
}

const oneWay = RANKS.flatMap((folders, rank) =>
  folders.map((folder) => {
    const earlier = RANKS.slice(0, rank).flat()
    const beside = folders.filter((other) => other !== folder)
    const patterns = earlier.map((name) => `/${name.replace('src/', '')}/`)
    // A transport may have the name of a folder beside: it is the folder above that is meant.
    patterns.push(...beside.map((name) => `\\.\\./${name.replace('src/', '')}/`))
    if (folder !== 'commands' && folder !== 'src/terminal') patterns.push('^@oclif/', '^listr2', '^ora$')
    if (folder === 'src/model') patterns.push('^(?!node:|\\./)')
    return {
      files: [`${folder}/**/*.ts`],
      rules: forbidden(
        `Imports go one way (see CONTRIBUTING.md): ${folder} may not import this.`,
        patterns.length > 0 ? patterns : ['^$'],
      ),
    }
  }),
)

const TRANSPORTS = [
  'docker-archive',
  'oci',
  'oci-archive',
  'docker',
  'docker-daemon',
  'inbox',
  'appx',
  'layout',
  'runtime',
]
const apart = TRANSPORTS.map((name) => ({
  files: [`src/transports/${name}/**/*.ts`],
  rules: forbidden('One transport never imports another; what two share lives in src/transports/shared.', [
    ...TRANSPORTS.filter((other) => other !== name).map((other) => `\\.\\./${other}/`),
    // The transport called runtime is the one seam between the two: it moves layers by what src/runtime can do.
    `/(?:convert|batch|report|terminal|commands${name === 'runtime' ? '' : '|runtime'})/`,
    '^@oclif/',
    '^listr2',
    '^ora$',
  ]),
}))

export default tseslint.config(
  {ignores: ['dist/', 'coverage/', 'node_modules/', '.wine/', '.node/', '.pwsh/']},
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {projectService: {allowDefaultProject: ['*.js']}, tsconfigRootDir: import.meta.dirname},
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', {allowConstantLoopConditions: true}],
      '@typescript-eslint/prefer-nullish-coalescing': ['error', {ignorePrimitives: {boolean: true}}],
      '@typescript-eslint/no-unused-vars': ['error', {argsIgnorePattern: '^_', varsIgnorePattern: '^_'}],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...oneWay,
  ...apart,
  {
    files: ['test/**/*.ts', 'samples/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'off',
    },
  },
  {files: ['*.js', 'src/report/page/*.js'], ...tseslint.configs.disableTypeChecked},
  {
    // The script inside of a report runs in a browser.
    files: ['src/report/page/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: {addEventListener: 'readonly', document: 'readonly', location: 'readonly'},
    },
  },
)
