import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { AppController } from './app.controller';
import { ReportService } from './report.service';

@Module({ controllers: [AppController], providers: [ReportService] })
export class AppModule implements OnApplicationShutdown {
  async onApplicationShutdown(signal?: string) {
    // As long as the end of a connection to a database takes.
    await new Promise((closed) => setTimeout(closed, 20));
    console.log(`shut down by ${signal}`);
  }
}
