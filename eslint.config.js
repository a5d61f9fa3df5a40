import js from '@eslint/js'
import regexp from 'eslint-plugin-regexp'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      'node_modules/',
      '.wine/',
      '.node/',
      '.pwsh/',
      'release/',
      'docs/.vitepress/dist/',
      'docs/.vitepress/cache/',
    ],
  },
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
  {
    files: ['src/**/*.ts', 'commands/**/*.ts'],
    plugins: {regexp},
    rules: {
      'max-lines': ['error', 400],
      // Names from outside may have a million characters: see src/model/text-ends.ts.
      'regexp/no-super-linear-backtracking': ['error', {report: 'potential'}],
      'regexp/no-super-linear-move': ['error', {report: 'potential', ignorePartial: false}],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'AssignmentExpression[operator=/^[-+*]=$/] > AwaitExpression.right',
          message: 'The left side is read before the wait, so that what others add meanwhile is lost. Await first.',
        },
        {
          selector: "CallExpression[callee.object.name='Readable'][callee.property.name='from']",
          message:
            'It asks for chunks ahead, which are lent only until then. See src/codecs/compression/through-transform.ts.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts', 'commands/**/*.ts'],
    ignores: ['src/disk/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          name: 'node:fs',
          importNames: ['readSync'],
          message: 'It may give fewer bytes than there are. See src/disk/fill-buffer.ts.',
        },
      ],
    },
  },
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
