import { Readable } from 'node:stream';
import { Body, Controller, Get, Header, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ReportService } from './report.service';

@Controller()
export class AppController {
  constructor(private readonly reports: ReportService) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(@Query('rows') rows = '10'): string {
    return this.reports.page(Number(rows));
  }

  @Post('api/echo')
  @HttpCode(200)
  echo(@Body() body: unknown): object {
    return { got: body };
  }

  @Get('api/stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['one\n', 'two\n', 'three\n'], { objectMode: false }), {
      type: 'text/plain; charset=utf-8',
    });
  }
}
