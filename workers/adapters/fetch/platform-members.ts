/** Classes that stand for one of the platform's and make an object of that class when more of it is read than they have. */

/** An object that can make one of the platform's, once. */
interface Standing {
  readonly platform: object;
}

type Method = (...args: unknown[]) => unknown;

/** Makes `own` a prototype of the platform's class, with every member of that class, of this Node or a later one. */
export function takeMembers(own: Standing, platform: object): void {
  Object.setPrototypeOf(own, platform);
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(platform))) {
    if (Object.hasOwn(own, name)) continue;
    if (member.get !== undefined) {
      Object.defineProperty(own, name, {
        configurable: true,
        get(this: Standing) {
          return (this.platform as { readonly [name: string]: unknown })[name];
        },
      });
    } else if (typeof member.value === 'function') {
      Object.defineProperty(own, name, {
        configurable: true,
        writable: true,
        value(this: Standing, ...args: unknown[]) {
          return (this.platform as { readonly [name: string]: Method })[name](...args);
        },
      });
    }
  }
}
