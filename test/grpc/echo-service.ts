/** A service as `protoc` would describe it, made by hand: `test.v1.Echo`, with one method of each of the four kinds. */
import { create, createFileRegistry, type DescMessage, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

const field = (name: string, number: number, type: Type) => ({ name, number, type, label: Label.OPTIONAL });
const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
  name,
  inputType: '.test.v1.Text',
  outputType: '.test.v1.Text',
  clientStreaming,
  serverStreaming,
});

const file = create(FileDescriptorProtoSchema, {
  name: 'test/v1/echo.proto',
  package: 'test.v1',
  syntax: 'proto3',
  messageType: [{ name: 'Text', field: [field('text', 1, Type.STRING), field('count', 2, Type.INT32)] }],
  service: [
    {
      name: 'Echo',
      method: [
        method('Unary', false, false),
        method('Server', false, true),
        method('Client', true, false),
        method('Bidi', true, true),
      ],
    },
  ],
});

const registry = createFileRegistry(file, () => undefined);

export const Echo = registry.getService('test.v1.Echo') as DescService;
export const TextSchema = registry.getMessage('test.v1.Text') as DescMessage;

export interface Text {
  readonly text: string;
  readonly count: number;
}

export function text(text: string, count = 0): Text {
  return create(TextSchema, { text, count }) as unknown as Text;
}
