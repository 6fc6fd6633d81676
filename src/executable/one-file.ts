declare global {
  interface ImportMeta {
    /** The bundler puts this in where it makes one executable file of the program; it is undefined everywhere else. */
    readonly oneFile?: { readonly version: string };
  }
}

/** Defined where the program and its Node are one executable file, whose assets hold the program's parts. */
export const oneFile = import.meta.oneFile;
