import { threadId } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';
import { rows } from './rows';

@Injectable()
export class ReportService {
  page(count: number): string {
    const lines = rows(count).map(({ name, sum }) => `<tr><td>${name}</td><td>${sum}</td></tr>`);
    return `<!doctype html><main data-thread="${threadId}"><h1>Report</h1><table>${lines.join('')}</table></main>`;
  }
}
