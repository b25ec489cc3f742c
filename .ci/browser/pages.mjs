// Every page that people look at, wide and narrow, light and dark: node .ci/browser/pages.mjs FOLDER NAME=URL…
// Takes a picture of each into FOLDER unless that is empty.
import { run } from "./chromium.mjs";

const [folder, ...pages] = process.argv.slice(2);

run("pages", async ({ evaluate, expect, open, look, picture, key, until }) => {
  for (const [name, url] of pages.map((page) => page.split(/=(.*)/s))) {
    const colours = {};
    for (const [width, scheme] of [[1100, "light"], [1100, "dark"], [390, "light"], [390, "dark"]]) {
      await look(width, scheme);
      await open(url);
      if (name === "docs") await until("Swagger UI is there", "!!document.querySelector('.opblock')");
      await expect(`${name}: nothing is cut off at ${width} pixels, ${scheme}`, "document.documentElement.scrollWidth <= innerWidth + 1");
      colours[scheme] = await evaluate("getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor + getComputedStyle(document.body).color");
      if (folder) await picture(`${folder}/${name}-${width}-${scheme}.png`);
    }
    await expect(`${name}: dark differs from light`, JSON.stringify(colours.dark !== colours.light));
    await expect(`${name}: has a language, a title and a heading`, "document.title.length > 3 && (document.documentElement.lang || document.querySelector('.swagger-ui')) && !!document.querySelector('h1, h2')");
    await key("Tab", 9);
    await expect(`${name}: the keyboard reaches something`, "document.activeElement !== document.body && document.activeElement !== null");
  }
});
