/** Where the cells of a hive begin in the file. */
export const CELLS_AT = 4096

/** The bytes of a hive by its cells, to look at and to spoil. Source: sections 1.1 to 1.7 of the registry hive format page. */
export class HiveBytes {
  readonly bytes: Buffer

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes)
  }

  /** The cell of the root key. */
  get root(): number {
    return this.bytes.readUInt32LE(36)
  }

  /** Where a field of a cell lies in the file. */
  place(cell: number, field: number): number {
    return CELLS_AT + cell + 4 + field
  }

  /** What a field of 32 bits holds; with several, each leads to the cell that the next is in. */
  at(cell: number, ...fields: readonly number[]): number {
    return fields.reduce((from, field) => this.bytes.readUInt32LE(this.place(from, field)), cell)
  }

  /** The same of a field of 16 bits. */
  u16(cell: number, field: number): number {
    return this.bytes.readUInt16LE(this.place(cell, field))
  }

  put(cell: number, field: number, value: number, size: 1 | 2 | 4 = 4): this {
    this.bytes.writeUIntLE(value, this.place(cell, field), size)
    return this
  }

  signature(cell: number): string {
    return this.bytes.toString('latin1', this.place(cell, 0), this.place(cell, 2))
  }

  sign(cell: number, signature: string): this {
    this.bytes.write(signature, this.place(cell, 0), 'latin1')
    return this
  }

  /** Bytes that a cell states for itself: below zero while it is in use. */
  size(cell: number): number {
    return this.bytes.readInt32LE(CELLS_AT + cell)
  }
}
